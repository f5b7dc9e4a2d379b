package tensorboard

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// FilePrefix begins the names of event files. The seconds since 1970, ten digits, follow.
const FilePrefix = "events.out.tfevents."

// flushEvery is the time after which what was recorded is in the file.
const flushEvery = 5 * time.Second

// file is a durable.Log.
type file interface {
	io.WriteCloser
	Name() string
	FlushBuffer() error
	Flush() error
}

// Log is a Recorder that writes the event file of a run. It must not be used by two
// goroutines at once.
type Log struct {
	out     file
	now     func() time.Time
	flushed time.Time
	err     error // of an earlier write, or that the log is closed
}

// Open makes a new event file in the folder of a run that has taken so many steps: 0, or
// Trainer.Steps after Load. The folder is made where it does not exist. Files of the
// folder stay; TensorBoard drops what they have of the step steps and later ones.
//
// What is recorded is in the file after five seconds, after Flush and after Close. Call
// Flush before each Trainer.Save, so that the log is never behind the checkpoint.
//
// Errors name the file or the folder.
func Open(folder string, steps int) (*Log, error) { return open(folder, steps, time.Now) }

func open(folder string, steps int, now func() time.Time) (*Log, error) {
	if steps < 0 {
		return nil, errors.Errorf("tensorboard: %s: a run of %d steps", folder, steps)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, errors.Wrap(err, "tensorboard")
	}
	name, err := nextName(folder, now())
	if err != nil {
		return nil, errors.Wrap(err, "tensorboard")
	}
	out, err := durable.CreateLog(filepath.Join(folder, name))
	if err != nil {
		return nil, errors.Wrap(err, "tensorboard")
	}
	l := newLog(out, now)
	if err := l.write(steps, versionEvent(now()), startEvent(now(), steps)); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func newLog(out file, now func() time.Time) *Log { return &Log{out: out, now: now} }

// nextName is the name of a new file. TensorBoard reads files in the order of their names:
// it is behind those of all that are there, even if the clock was set back.
func nextName(folder string, now time.Time) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	seconds := now.Unix()
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), FilePrefix)
		digits, _, _ := strings.Cut(rest, ".")
		if s, err := strconv.ParseInt(digits, 10, 64); ok && err == nil {
			seconds = max(seconds, s+1)
		}
	}
	host, err := os.Hostname()
	if err != nil || host == "" || strings.ContainsAny(host, `/\:`) {
		host = "localhost"
	}
	return fmt.Sprintf("%s%010d.%s.%d.0", FilePrefix, seconds, host, os.Getpid()), nil
}

// Name is the path of the file.
func (l *Log) Name() string { return l.out.Name() }

// Record writes the numbers of a step, those of Stats.Scalars. Numbers become float32, as
// TensorBoard has them. After an error every Record returns it, because the file may end in
// half a record.
func (l *Log) Record(s record.Stats) error {
	var values [][]byte
	for name, v := range s.Scalars() {
		if err := l.check(name, s.Step); err != nil {
			return err
		}
		values = append(values, scalarValue(name, v))
	}
	return l.write(s.Step, summaryEvent(l.now(), s.Step, values...))
}

// Scalar writes a number of another name, such as the accuracy in a test. The step should
// be the last one taken, Trainer.Steps()-1: a run that goes on drops what was written of
// the step Trainer.Steps() and later ones.
func (l *Log) Scalar(tag string, step int, v float64) error {
	if err := l.check(tag, step); err != nil {
		return err
	}
	return l.write(step, summaryEvent(l.now(), step, scalarValue(tag, v)))
}

// Image writes a picture, the content of a PNG file. See Scalar on the step.
func (l *Log) Image(tag string, step int, content []byte) error {
	if err := l.check(tag, step); err != nil {
		return err
	}
	c, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return errors.Wrapf(err, "tensorboard: %s: step %d: picture %q", l.Name(), step, tag)
	}
	return l.write(step, summaryEvent(l.now(), step, imageValue(tag, c.Width, c.Height, colorspace(c.ColorModel), content)))
}

// colorspace is the number in summary.proto.
func colorspace(m color.Model) int {
	switch m {
	case color.GrayModel, color.Gray16Model:
		return 1
	case color.NRGBAModel, color.NRGBA64Model:
		return 4
	}
	return 3
}

// check reports what a protocol buffer or TensorBoard cannot have.
func (l *Log) check(tag string, step int) error {
	switch {
	case l.err != nil:
		return l.err
	case step < 0:
		return errors.Errorf("tensorboard: %s: %q at step %d", l.Name(), tag, step)
	case tag == "" || !utf8.ValidString(tag):
		return errors.Errorf("tensorboard: %s: step %d: the name %q is empty or no UTF-8", l.Name(), step, tag)
	}
	return nil
}

// write writes events, and brings them into the file from time to time.
func (l *Log) write(step int, events ...[]byte) error {
	if l.err != nil {
		return l.err
	}
	var text []byte
	for _, e := range events {
		text = appendFrame(text, e)
	}
	_, err := l.out.Write(text)
	if now := l.now(); err == nil && now.Sub(l.flushed) >= flushEvery {
		err = l.out.FlushBuffer()
		l.flushed = now
	}
	l.err = errors.Wrapf(err, "tensorboard: %s: step %d", l.Name(), step)
	return l.err
}

// Flush brings everything into the file and to the disk.
func (l *Log) Flush() error {
	if l.err == nil {
		l.err = errors.Wrapf(l.out.Flush(), "tensorboard: %s", l.Name())
	}
	return l.err
}

// Close flushes and closes the file. A second Close, and every Record after it, is an
// error.
func (l *Log) Close() error {
	if errors.Is(l.err, os.ErrClosed) {
		return l.err
	}
	err := l.err
	if closeErr := l.out.Close(); err == nil {
		err = errors.Wrapf(closeErr, "tensorboard: %s", l.Name())
	}
	l.err = errors.Wrapf(os.ErrClosed, "tensorboard: %s", l.Name())
	return err
}
