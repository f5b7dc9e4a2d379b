package record

import (
	"io"
	"strconv"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
)

// lineWriter passes the lines of a Recorder to w, up to the first error.
type lineWriter struct {
	w   io.Writer
	err error
}

// write writes the text of a step with a single call, or returns the error of
// an earlier step.
func (l *lineWriter) write(step int, text []byte) error {
	if graph.IsNil(l.w) {
		return errors.Errorf("trainers: record step %d: there is no writer", step)
	}
	if l.err == nil {
		_, err := l.w.Write(text)
		l.err = errors.Wrapf(err, "trainers: record step %d", step)
	}
	return l.err
}

// flush empties the buffer of w if it has one.
func (l *lineWriter) flush() error {
	if f, ok := l.w.(interface{ Flush() error }); ok {
		return errors.Wrap(f.Flush(), "trainers: flush recorder")
	}
	return nil
}

// close closes w, if it can be closed, also when flushing fails.
func (l *lineWriter) close() error {
	err := l.flush()
	if c, ok := l.w.(io.Closer); ok {
		if closeErr := c.Close(); err == nil {
			err = errors.Wrap(closeErr, "trainers: close recorder")
		}
	}
	return err
}

// formatFloat gives the shortest text that reads back as x.
func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
