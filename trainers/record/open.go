package record

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// OpenJSONL opens the file path as the log of a run that has taken so many steps:
// 0, or Trainer.Steps after Load. It cuts off the lines of later steps, and a last
// line that a kill left incomplete; the run writes them again. A file that does not
// exist is made. lines is the number of lines that stay.
//
// Lines are buffered: call Flush before each Trainer.Save, so that the log is
// never behind the checkpoint, and Close at the end.
func OpenJSONL(path string, steps int) (log *JSONL, lines int, err error) {
	f, lines, err := durable.OpenLog(path, func(_ int, line []byte) (bool, error) {
		var s struct{ Step int }
		err := json.Unmarshal(line, &s)
		return s.Step < steps, err
	})
	if err != nil {
		return nil, 0, errors.Wrap(err, "trainers: log")
	}
	return NewJSONL(f), lines, nil
}

// OpenCSV is OpenJSONL for a table: its header stays and is not counted.
func OpenCSV(path string, steps int) (log *CSV, rows int, err error) {
	f, lines, err := durable.OpenLog(path, func(number int, line []byte) (bool, error) {
		if number == 0 {
			return steps > 0, nil
		}
		step, _, _ := strings.Cut(string(line), ",")
		n, err := strconv.Atoi(step)
		return n < steps, err
	})
	if err != nil {
		return nil, 0, errors.Wrap(err, "trainers: log")
	}
	return NewCSV(f), max(0, lines-1), nil
}

// headerOf is the header of the table that the file w has already, nil for none or
// where w is no file.
func headerOf(w io.Writer) []string {
	file, ok := w.(interface {
		Name() string
		Stat() (os.FileInfo, error)
	})
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil // a write will fail if the file cannot be used
	}
	f, err := os.Open(file.Name())
	if err != nil {
		return nil // renamed or not to be read
	}
	defer f.Close()
	if there, err := f.Stat(); err != nil || !os.SameFile(info, there) {
		return nil
	}
	first := csvHeader(0)[0] + ","
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), first) {
			return strings.Split(lines.Text(), ",")
		}
	}
	return nil
}
