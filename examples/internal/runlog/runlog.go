// Package runlog has the files of the example programs that train for epochs and
// can be resumed: settings, logs, and the curves that are drawn of them.
package runlog

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/durable"
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
	// Further are other kinds of logs, of Kinds.
	Further []string
	// Experiment and Params are what MLflow shows of the run, whose name is that of its
	// folder.
	Experiment string
	Params     map[string]string

	jsonl   *trainers.JSONL
	csv     *trainers.CSV
	steps   trainers.Recorder
	epochs  *durable.Log
	further []Further
}

// Open opens the logs of a trainer that has its checkpoint, if it goes on from one, and
// makes them its recorder. Lines of later steps are removed.
func (l *Log) Open(dir string, tr *trainers.Trainer) error {
	if err := l.open(dir, tr.Steps()); err != nil {
		return err
	}
	return tr.SetRecorder(l)
}

func (l *Log) open(dir string, steps int) (err error) {
	defer func() {
		if err != nil {
			_ = l.Close()
		}
	}()
	var lines int
	path := filepath.Join(dir, StepsJSONL)
	if l.jsonl, lines, err = trainers.OpenJSONL(path, steps); err != nil {
		return err
	}
	if err := whole(path, lines, steps); err != nil {
		return err
	}
	path = filepath.Join(dir, StepsCSV)
	if l.csv, lines, err = trainers.OpenCSV(path, steps); err != nil {
		return err
	}
	if err := whole(path, lines, steps); err != nil {
		return err
	}
	l.epochs, lines, err = durable.OpenLog(filepath.Join(dir, EpochsCSV), func(number int, line []byte) (bool, error) {
		if number == 0 {
			return steps > 0, nil
		}
		n, err := column(string(line), 1)
		return n <= steps, err
	})
	if err == nil && lines == 0 {
		err = l.line(append([]string{"epoch", "step"}, l.Epochs...))
	}
	if err != nil {
		return err
	}
	return l.openFurther(dir, steps)
}

// whole reports a log that somebody has shortened.
func whole(path string, lines, steps int) error {
	if lines != steps {
		return errors.Errorf("%s has %d of the %d steps before the checkpoint", path, lines, steps)
	}
	return nil
}

// Record implements trainers.Recorder.
func (l *Log) Record(s trainers.Stats) error { return l.steps.Record(s) }

// Epoch writes the line of an epoch, with the number of steps at its end and the
// values of the columns in Epochs.
func (l *Log) Epoch(epoch, steps int, values ...float64) error {
	cells := []string{strconv.Itoa(epoch), strconv.Itoa(steps)}
	for _, v := range values {
		cells = append(cells, strconv.FormatFloat(v, 'g', -1, 64))
	}
	if err := l.line(cells); err != nil {
		return err
	}
	for _, f := range l.further {
		for i, v := range values {
			if err := f.Scalar(l.Epochs[i], steps-1, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *Log) line(cells []string) error {
	_, err := l.epochs.Write([]byte(strings.Join(cells, ",") + "\n"))
	return err
}

// Flush brings everything to the disk.
func (l *Log) Flush() error {
	if err := l.jsonl.Flush(); err != nil {
		return err
	}
	if err := l.csv.Flush(); err != nil {
		return err
	}
	if err := l.epochs.Flush(); err != nil {
		return err
	}
	for _, f := range l.further {
		if err := f.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Close flushes and closes the files that are open.
func (l *Log) Close() (err error) {
	keep := func(closeErr error) {
		if err == nil {
			err = closeErr
		}
	}
	if l.jsonl != nil {
		keep(l.jsonl.Close())
	}
	if l.csv != nil {
		keep(l.csv.Close())
	}
	if l.epochs != nil {
		keep(l.epochs.Close())
	}
	for _, f := range l.further {
		keep(f.Close())
	}
	return err
}

func column(line string, i int) (int, error) {
	cells := strings.Split(line, ",")
	if len(cells) <= i {
		return 0, errors.Errorf("%d columns", len(cells))
	}
	return strconv.Atoi(cells[i])
}
