package mlflow

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// flushEvery is the time after which what was recorded is in the files.
const flushEvery = 10 * time.Second

// Log is a Recorder that writes a run of MLflow. It must not be used by two goroutines at
// once.
type Log struct {
	run      *run
	now      func() time.Time
	metrics  map[string]*metric // by the names of their files
	files    map[string]string  // names of files by those of scalars
	flushed  time.Time
	finished bool
	err      error // of an earlier write, or that the log is closed
}

// metric is a file of metrics/. MLflow does not read a store with an empty one: the file is
// made when there is something to write.
type metric struct {
	log     *durable.Log // nil before the first flush
	pending []byte
	unsaved bool // not on the disk yet
}

// Open opens the log of a run that has taken so many steps: 0, or Trainer.Steps after
// Load. With 0 it begins anew and removes a run of the same names. Else the run of these
// names goes on: values of later steps are removed, and a last line that a kill left
// incomplete. Folders are made where they do not exist.
//
// What is recorded is in the files after ten seconds, after Flush and after Close. Call
// Flush before each Trainer.Save, so that the log is never behind the checkpoint.
//
// Errors name the file or the folder.
func Open(c Config, steps int) (*Log, error) { return open(c, steps, time.Now) }

func open(c Config, steps int, now func() time.Time) (*Log, error) {
	r, err := openStore(c, steps, now())
	if err != nil {
		return nil, err
	}
	l := &Log{run: r, now: now, metrics: map[string]*metric{}, files: map[string]string{}}
	if err := l.goOn(steps); err != nil {
		_ = l.each((*metric).close)
		return nil, errors.Wrapf(err, "mlflow: run %q", r.name)
	}
	return l, nil
}

// Folder is the folder of the run.
func (l *Log) Folder() string { return l.run.dir }

// goOn opens the metrics that are there and removes the values of steps that follow.
func (l *Log) goOn(steps int) error {
	root := filepath.Join(l.run.dir, "metrics")
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		log, kept, err := durable.OpenLog(path, func(_ int, line []byte) (bool, error) {
			step, err := stepOf(line)
			return step < steps, err
		})
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err == nil && kept > 0 {
			l.metrics[filepath.ToSlash(name)] = &metric{log: log}
			return nil
		}
		if closeErr := log.Close(); err == nil {
			err = closeErr
		}
		if err == nil {
			err = os.Remove(path)
		}
		return err
	})
}

// stepOf is the step of a line.
func stepOf(line []byte) (int, error) {
	fields := bytes.Fields(line)
	if len(fields) != 3 {
		return 0, errors.Errorf("%d fields, want time, value and step", len(fields))
	}
	return strconv.Atoi(string(fields[2]))
}

// Record writes the numbers of a step, those of Stats.Scalars. After an error every Record
// returns it.
func (l *Log) Record(s record.Stats) error {
	if l.err != nil {
		return l.err
	}
	at := l.now()
	for name, v := range s.Scalars() {
		l.add(at, name, s.Step, v)
	}
	return l.flushInTime(s.Step)
}

// Scalar writes a number of another name, such as the accuracy in a test. The step should
// be the last one taken, Trainer.Steps()-1: a run that goes on removes what was written of
// the step Trainer.Steps() and later ones.
func (l *Log) Scalar(name string, step int, v float64) error {
	switch {
	case l.err != nil:
		return l.err
	case name == "" || step < 0:
		return errors.Errorf("mlflow: %s: metric %q at step %d", l.run.dir, name, step)
	}
	l.add(l.now(), name, step, v)
	return l.flushInTime(step)
}

// add appends the line of a value.
func (l *Log) add(at time.Time, name string, step int, v float64) {
	m := l.metrics[l.fileOf(name)]
	if m == nil {
		m = &metric{}
		l.metrics[l.fileOf(name)] = m
	}
	m.pending = strconv.AppendInt(m.pending, at.UnixMilli(), 10)
	m.pending = strconv.AppendFloat(append(m.pending, ' '), v, 'g', -1, 64)
	m.pending = strconv.AppendInt(append(m.pending, ' '), int64(step), 10)
	m.pending = append(m.pending, '\n')
}

// fileOf is the file of a metric. Names that differ only in what MLflow does not allow have
// files of their own.
func (l *Log) fileOf(name string) string {
	if file, ok := l.files[name]; ok {
		return file
	}
	taken := map[string]bool{}
	for _, file := range l.files {
		taken[file] = true
	}
	file := fileName(name)
	for taken[file] {
		file += "_"
	}
	l.files[name] = file
	return file
}

// flushInTime brings values into the files where the last time is some seconds ago.
func (l *Log) flushInTime(step int) error {
	if now := l.now(); now.Sub(l.flushed) >= flushEvery {
		l.flushed = now
		if err := l.each((*metric).write); err != nil {
			l.err = errors.Wrapf(err, "mlflow: step %d", step)
		}
	}
	return l.err
}

// Flush brings everything into the files and to the disk.
func (l *Log) Flush() error {
	if l.err == nil {
		l.err = errors.Wrap(l.each((*metric).flush), "mlflow")
	}
	return l.err
}

// each does something with all metrics at once: to wait for the disk hundreds of times in
// turn would take seconds. The error is one of those that there are.
func (l *Log) each(do func(m *metric, path string) error) error {
	errs := make(chan error, len(l.metrics))
	for name, m := range l.metrics {
		go func() { errs <- do(m, filepath.Join(l.run.dir, "metrics", filepath.FromSlash(name))) }()
	}
	var first error
	for range l.metrics {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// write brings values into the file.
func (m *metric) write(path string) (err error) {
	if len(m.pending) == 0 {
		return nil
	}
	if m.log == nil {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if m.log, err = durable.CreateLog(path); err != nil {
			return err
		}
	}
	if _, err := m.log.Write(m.pending); err != nil {
		return err
	}
	m.pending, m.unsaved = m.pending[:0], true
	return m.log.FlushBuffer()
}

// flush brings values to the disk.
func (m *metric) flush(path string) error {
	if err := m.write(path); err != nil || !m.unsaved {
		return err
	}
	m.unsaved = false
	return m.log.Flush()
}

func (m *metric) close(string) error {
	if m.log == nil {
		return nil
	}
	return m.log.Close()
}

// Image writes a picture, the content of a PNG file, as the artifact name.png. The step is
// not kept: the last picture stays.
func (l *Log) Image(name string, _ int, content []byte) error {
	return l.Artifact(fileName(name)+".png", content)
}

// Artifact writes a file of the run. Its name may have folders, separated by slashes.
func (l *Log) Artifact(name string, content []byte) error {
	if l.err != nil {
		return l.err
	}
	if !fs.ValidPath(name) || name == "." {
		return errors.Errorf("mlflow: %s: artifact %q is no relative path", l.run.dir, name)
	}
	return errors.Wrap(l.run.write("artifacts", name, content), "mlflow")
}

// Finish says that the run is complete: Close marks it as finished. Without it Close marks
// it as killed. A run whose process is killed stays marked as running.
func (l *Log) Finish() { l.finished = true }

// Close flushes and closes the files and marks the run. A second Close, and every Record
// after it, is an error.
func (l *Log) Close() error {
	if errors.Is(l.err, os.ErrClosed) {
		return l.err
	}
	err := l.Flush()
	if closeErr := l.each((*metric).close); err == nil {
		err = errors.Wrap(closeErr, "mlflow")
	}
	status := killed
	if l.finished && err == nil {
		status = finished
	}
	if statusErr := l.run.setStatus(status, l.now()); err == nil {
		err = errors.Wrap(statusErr, "mlflow")
	}
	l.err = errors.Wrapf(os.ErrClosed, "mlflow: %s", l.run.dir)
	return err
}
