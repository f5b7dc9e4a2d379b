package live

import (
	"io"
	"os"
	"time"

	"github.com/pkg/errors"
	"golang.org/x/term"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// Config says what a View shows. The zero value shows steps, loss and rates.
type Config struct {
	// Title begins the first line.
	Title string
	// Steps is the number of steps of the whole run, those before it was resumed
	// included. With 0 there is no time left.
	Steps int
	// Examples is the number of examples in a mini-batch. With 0 the throughput is
	// in steps.
	Examples int
	// Unit is the name of what Examples counts; "" is examples.
	Unit string
}

// View is a Recorder that shows how a training goes. It must not be used by two goroutines
// at once.
type View struct {
	w    io.Writer
	c    Config
	size func() (columns, rows int) // nil where lines are written
	now  func() time.Time

	step     int // the last one
	lastLoss float64
	lastRate float64
	rateOf   string // what lastRate is: the rate or the trace of P; "" for nothing
	started  bool
	loss     curve
	rate     curve
	pace     pace

	shown  time.Time // the time of the frame on the terminal
	rows   int       // of it, 0 for none
	widest int       // characters in its longest line
	next   int       // number of steps at the next line
	failed error     // of a write
	closed bool
}

// New makes a View that writes to w: a picture that is drawn in place if w is a terminal
// (an *os.File), else lines. The environment variable TERM=dumb asks for lines too.
//
// It uses no colours, does not hide the cursor and does not change the terminal's modes:
// whenever the program ends, the terminal is as it was.
func New(w io.Writer, c Config) *View {
	v := &View{w: w, c: c, now: time.Now}
	if f, ok := w.(*os.File); ok && f != nil && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		v.size = func() (columns, rows int) { return sizeOf(f) }
	}
	return v
}

// sizeOf is a terminal's size; one that does not tell it has the usual one.
func sizeOf(f *os.File) (columns, rows int) {
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil || columns < 1 || rows < 1 {
		return 80, 24
	}
	return columns, rows
}

// redraw is the time between two frames.
const redraw = 100 * time.Millisecond

// Record takes a step into the curves and shows it if it is time. It fails only after
// Close: a terminal that is gone is no reason to end a training. After a failed write
// nothing is shown any more, and Close returns the error.
func (v *View) Record(s record.Stats) error {
	if v.closed {
		return errors.Errorf("live: step %d: the view %q is closed", s.Step, v.c.Title)
	}
	v.take(s)
	now := v.now()
	v.pace.add(now, s.Step)
	switch {
	case v.failed != nil || graph.IsNil(v.w):
	case v.size == nil:
		v.line(now)
	case now.Sub(v.shown) >= redraw || s.Step+1 == v.c.Steps:
		v.draw(now)
	}
	return nil
}

// take keeps what is shown of a step.
func (v *View) take(s record.Stats) {
	if !v.started {
		v.started, v.next = true, s.Step/v.every()*v.every()+v.every()
	}
	v.loss.add(s.Loss)
	if what, x := rateOf(s); what != "" {
		v.rateOf, v.lastRate = what, x
		v.rate.add(x)
	}
	v.step, v.lastLoss = s.Step, s.Loss
}

// Pause takes the picture away, so that the program can write something of its own. The
// next Record draws it again.
func (v *View) Pause() {
	v.pace.pause()
	if v.rows > 0 {
		v.write(v.home() + erase)
		v.rows = 0
	}
	v.shown = time.Time{}
}

// Close leaves the last state on the terminal, with the cursor below it. The error is that
// of the first write that failed. w is not closed.
func (v *View) Close() error {
	if !v.closed && v.started && v.size != nil && v.failed == nil && !graph.IsNil(v.w) {
		v.draw(v.now())
	}
	v.closed = true
	return v.failed
}

// write writes a text at once.
func (v *View) write(text string) {
	if v.failed != nil {
		return
	}
	_, err := io.WriteString(v.w, text)
	v.failed = errors.Wrapf(err, "live: %q at step %d", v.c.Title, v.step)
}
