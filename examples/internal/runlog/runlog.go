// Package runlog has the files of the example programs that train for epochs and
// can be resumed: settings, logs, and the curves that are drawn of them.
package runlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
)

// The files of a run's logs.
const (
	StepsJSONL = "steps.jsonl"
	StepsCSV   = "steps.csv"
	EpochsCSV  = "epochs.csv"
)

// Log are the files of a run: a line for each step in two formats, and one for
// each epoch. It is a trainers.Recorder for the steps.
type Log struct {
	// Epochs names the columns of epochs.csv after epoch and step.
	Epochs []string

	files   []*os.File
	buffers []*bufio.Writer
	steps   trainers.Recorder
	epochs  *bufio.Writer
}

// Create starts new files.
func (l *Log) Create(dir string) error { return l.open(dir, os.O_TRUNC) }

// Reopen goes on after so many steps: what was written later is cut off.
func (l *Log) Reopen(dir string, steps int) error {
	if steps == 0 {
		return l.Create(dir)
	}
	for _, log := range []struct {
		name   string
		header bool
		step   func(line string) (int, error)
		limit  int // of the lines to keep: their step is below
	}{
		{StepsJSONL, false, jsonStep, steps},
		{StepsCSV, true, func(line string) (int, error) { return column(line, 0) }, steps},
		{EpochsCSV, true, func(line string) (int, error) { return column(line, 1) }, steps + 1},
	} {
		path := filepath.Join(dir, log.name)
		kept, err := cutLog(path, log.header, log.step, log.limit)
		if err != nil {
			return err
		}
		if log.name != EpochsCSV && kept != steps {
			return errors.Errorf("%s has %d of the %d steps before the checkpoint", path, kept, steps)
		}
	}
	return l.open(dir, os.O_APPEND)
}

// open opens the files, with os.O_TRUNC new ones, with os.O_APPEND to go on.
func (l *Log) open(dir string, mode int) error {
	for _, name := range []string{StepsJSONL, StepsCSV, EpochsCSV} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|mode, 0o666)
		if err != nil {
			return err
		}
		l.files = append(l.files, f)
		l.buffers = append(l.buffers, bufio.NewWriter(f))
	}
	var table io.Writer = l.buffers[1]
	if mode == os.O_APPEND {
		table = &headless{w: table}
	}
	l.steps = trainers.Multi(trainers.NewJSONL(l.buffers[0]), trainers.NewCSV(table))
	l.epochs = l.buffers[2]
	if mode != os.O_APPEND {
		return l.line(append([]string{"epoch", "step"}, l.Epochs...))
	}
	return nil
}

// Record implements trainers.Recorder.
func (l *Log) Record(s trainers.Stats) error { return l.steps.Record(s) }

// Epoch writes the line of an epoch that ends after so many steps, with the
// values of the columns in Epochs.
func (l *Log) Epoch(epoch, steps int, values ...float64) error {
	cells := []string{strconv.Itoa(epoch), strconv.Itoa(steps)}
	for _, v := range values {
		cells = append(cells, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return l.line(cells)
}

func (l *Log) line(cells []string) error {
	_, err := l.epochs.WriteString(strings.Join(cells, ",") + "\n")
	return err
}

// Flush brings everything to the disk.
func (l *Log) Flush() error {
	for i, b := range l.buffers {
		if err := b.Flush(); err != nil {
			return err
		}
		if err := l.files[i].Sync(); err != nil {
			return err
		}
	}
	return nil
}

// Close flushes and closes the files.
func (l *Log) Close() error {
	err := l.Flush()
	for _, f := range l.files {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}
	return err
}

// headless leaves out the first line: the header of a table that has one.
type headless struct {
	w    io.Writer
	past bool
}

func (h *headless) Write(p []byte) (int, error) {
	rest := p
	if !h.past {
		end := bytes.IndexByte(p, '\n')
		rest, h.past = p[end+1:], end >= 0
	}
	n, err := h.w.Write(rest)
	return len(p) - len(rest) + n, err
}

// cutLog cuts the file off at the first line whose step is not below limit or
// that is not complete. It counts the lines that stay, without the header.
func cutLog(path string, header bool, step func(line string) (int, error), limit int) (kept int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	size := 0
	for number := 1; ; number++ {
		line, _, complete := bytes.Cut(text[size:], []byte{'\n'})
		if !complete {
			break
		}
		if !header || number > 1 {
			n, err := step(string(line))
			if err != nil {
				return 0, errors.Wrapf(err, "%s: line %d", path, number)
			}
			if n >= limit {
				break
			}
			kept++
		}
		size += len(line) + 1
	}
	return kept, os.Truncate(path, int64(size))
}

func jsonStep(line string) (int, error) {
	var s struct{ Step int }
	err := json.Unmarshal([]byte(line), &s)
	return s.Step, err
}

func column(line string, i int) (int, error) {
	cells := strings.Split(line, ",")
	if len(cells) <= i {
		return 0, errors.Errorf("%d columns", len(cells))
	}
	return strconv.Atoi(cells[i])
}
