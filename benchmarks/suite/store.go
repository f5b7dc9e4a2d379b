package suite

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// line is any line of a run's file after the first. The fields that every evaluation
// has are nil if they are missing.
type line struct {
	Evaluation
	Step      *int    `json:"step"`
	TrainLoss *Number `json:"train_loss"`
	Paused    bool    `json:"paused"`
	Done      bool    `json:"done"`
}

// ErrNoHeader is the cause of ReadRun's error for a file without a complete line. A
// run that is killed at once leaves such a file.
var ErrNoHeader = errors.New("no header")

// ReadRun reads a run's file, of lines (.jsonl) or condensed by the command store
// (.json). It skips an incomplete last line, which a killed process leaves. Lines of no
// known kind, evaluations in the wrong order, and lines after the end are errors that
// name the line.
func ReadRun(path string) (*Run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if filepath.Ext(path) == storedExt {
		r, err := parseStored(text)
		return r, errors.Wrap(err, path)
	}
	r := &Run{}
	lines := bytes.Split(text, []byte("\n"))
	for i, text := range lines[:len(lines)-1] {
		if err := r.add(i, text); err != nil {
			return nil, errors.Wrapf(err, "%s: line %d", path, i+1)
		}
	}
	if len(lines) == 1 {
		return nil, errors.Wrapf(ErrNoHeader, "%s", path)
	}
	return r, nil
}

func (r *Run) add(i int, text []byte) error {
	if i == 0 {
		if err := json.Unmarshal(text, &r.Header); err != nil {
			return err
		}
		if r.Header.Experiment == "" || r.Header.Method == "" {
			return errors.Errorf("%.40q names no experiment and method", text)
		}
		r.Header.Method = methods.CurrentName(r.Header.Method, r.Header.Settings)
		return nil
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	switch {
	case r.Done != nil:
		return errors.New("the run ended in the line before")
	case l.Done:
		r.Done = &Done{}
		return json.Unmarshal(text, r.Done)
	case l.Step == nil || !l.Paused && l.TrainLoss == nil:
		return errors.Errorf("%.40q is neither an evaluation nor an end", text)
	case l.Paused:
		r.Pause = &Pause{Paused: true, Step: *l.Step, Seconds: l.Seconds}
		return nil
	}
	if n := len(r.Evaluations); n > 0 && *l.Step <= r.Evaluations[n-1].Step {
		return errors.Errorf("step %d after step %d", *l.Step, r.Evaluations[n-1].Step)
	}
	l.Evaluation.Step, l.Evaluation.TrainLoss = *l.Step, *l.TrainLoss
	r.Evaluations = append(r.Evaluations, l.Evaluation)
	return nil
}

// FindRun reads the run of a job, of lines or condensed, with whatever settings it has;
// nil for none.
func FindRun(dir string, j Job) (*Run, error) {
	for _, path := range []string{j.Path(dir), j.storedPath(dir)} {
		r, err := ReadRun(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNoHeader) {
			continue
		}
		return r, err
	}
	return nil, nil
}

// state is the state of a job in the store.
type state int

const (
	absent   state = iota
	partial        // begun with these settings
	finished       // finished with these settings
	other          // begun or finished with other settings
)

// stateOf reads the state of a job from its file, of either kind.
func stateOf(dir string, j Job) (state, error) {
	r, err := FindRun(dir, j)
	switch {
	case err != nil || r == nil:
		return absent, err
	case !r.Header.Job.same(j):
		return other, nil
	case r.Done == nil:
		return partial, nil
	}
	return finished, nil
}

// Stored is the finished run of a job in a folder, of lines or condensed; nil if there is
// none with the job's settings.
func Stored(dir string, j Job) (*Run, error) {
	r, err := FindRun(dir, j)
	if err != nil || r == nil || r.Done == nil || !r.Header.Job.same(j) {
		return nil, err
	}
	return r, nil
}

// logFile is a run's file, open for writing.
type logFile struct{ *durable.Log }

// createLog begins a run's file with its header.
func createLog(path string, h Header) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, errors.Wrap(err, "results")
	}
	f, err := durable.CreateLog(path)
	if err != nil {
		return nil, errors.Wrap(err, "results")
	}
	l := &logFile{f}
	if err := l.write(h); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// reopenLog opens a run's file and removes all lines after the step. It returns the
// seconds spent until then and the last evaluated step.
func reopenLog(path string, step int) (l *logFile, seconds float64, evaluated int, err error) {
	evaluated = -1
	f, kept, err := durable.OpenLog(path, func(i int, text []byte) (bool, error) {
		if i == 0 {
			return true, nil
		}
		var at line
		if err := json.Unmarshal(text, &at); err != nil {
			return false, err
		}
		if at.Done || at.Step == nil || *at.Step > step {
			return false, nil
		}
		seconds = at.Seconds
		if !at.Paused {
			evaluated = *at.Step
		}
		return true, nil
	})
	if err != nil {
		return nil, 0, 0, errors.Wrap(err, "results")
	}
	if kept == 0 {
		_ = f.Close()
		return nil, 0, 0, errors.Wrap(ErrNoHeader, path)
	}
	return &logFile{f}, seconds, evaluated, nil
}

// replaceFile replaces a file at once: a reader never finds a part of it.
func replaceFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return errors.WithStack(err)
	}
	return errors.WithStack(durable.WriteFile(path, content))
}

// write appends one line and flushes it to the disk.
func (l *logFile) write(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return errors.Wrap(err, l.Name())
	}
	_, err = l.Write(append(text, '\n'))
	if err == nil {
		err = l.Flush()
	}
	return errors.Wrap(err, "results")
}
