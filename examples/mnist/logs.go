package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
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
	stepsJSONL = "steps.jsonl"
	stepsCSV   = "steps.csv"
	epochsCSV  = "epochs.csv"
)

const epochsHeader = "epoch,step,test_loss,test_accuracy\n"

// logs are the files of a run: a line for each step in two formats, and one for
// each epoch. It is a trainers.Recorder for the steps.
type logs struct {
	files   []*os.File
	buffers []*bufio.Writer
	steps   trainers.Recorder
	epochs  *bufio.Writer
}

// create starts new files.
func (l *logs) create(dir string) error { return l.open(dir, os.O_TRUNC, false) }

// reopen goes on after so many steps: what was written later is cut off.
func (l *logs) reopen(dir string, steps int) error {
	for _, cut := range []struct {
		name   string
		header bool
		step   func(line string) (int, error)
		limit  int // of the lines to keep: their step is below
	}{
		{stepsJSONL, false, jsonStep, steps},
		{stepsCSV, true, func(line string) (int, error) { return column(line, 0) }, steps},
		{epochsCSV, true, func(line string) (int, error) { return column(line, 1) }, steps + 1},
	} {
		path := filepath.Join(dir, cut.name)
		kept, err := cutLog(path, cut.header, cut.step, cut.limit)
		if err != nil {
			return err
		}
		if cut.name != epochsCSV && kept != steps {
			return errors.Errorf("%s has %d of the %d steps before the checkpoint", path, kept, steps)
		}
	}
	return l.open(dir, os.O_APPEND, steps > 0)
}

func (l *logs) open(dir string, mode int, headed bool) error {
	for _, name := range []string{stepsJSONL, stepsCSV, epochsCSV} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|mode, 0o666)
		if err != nil {
			return err
		}
		l.files = append(l.files, f)
		l.buffers = append(l.buffers, bufio.NewWriter(f))
	}
	var table io.Writer = l.buffers[1]
	if headed {
		table = &headless{w: table}
	}
	l.steps = trainers.Multi(trainers.NewJSONL(l.buffers[0]), trainers.NewCSV(table))
	l.epochs = l.buffers[2]
	if mode == os.O_TRUNC {
		_, err := l.epochs.WriteString(epochsHeader)
		return err
	}
	return nil
}

// Record implements trainers.Recorder.
func (l *logs) Record(s trainers.Stats) error { return l.steps.Record(s) }

// epoch writes the line of an epoch that ends after so many steps.
func (l *logs) epoch(epoch, steps int, e trainers.Evaluation) error {
	_, err := fmt.Fprintf(l.epochs, "%d,%d,%v,%v\n", epoch, steps, e.Loss, e.Accuracy)
	return err
}

func (l *logs) flush() error {
	for _, b := range l.buffers {
		if err := b.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (l *logs) close() error {
	err := l.flush()
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

// cutLog keeps the lines whose step is below limit, and counts them without the
// header. A last line that is not complete is cut off too.
func cutLog(path string, header bool, step func(line string) (int, error), limit int) (kept int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	var keep []byte
	for number := 1; ; number++ {
		line, rest, complete := bytes.Cut(text, []byte{'\n'})
		if !complete {
			break
		}
		text = rest
		if header && number == 1 {
			keep = append(append(keep, line...), '\n')
			continue
		}
		n, err := step(string(line))
		if err != nil {
			return 0, errors.Wrapf(err, "%s: line %d", path, number)
		}
		if n < limit {
			keep = append(append(keep, line...), '\n')
			kept++
		}
	}
	return kept, errors.Wrap(os.WriteFile(path, keep, 0o666), "cutting the log to the checkpoint")
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
