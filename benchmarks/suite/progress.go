package suite

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// display shows the progress of a list of jobs with the remaining time: a bar on a
// terminal, otherwise a line for each finished job and each minute.
type display struct {
	mu    sync.Mutex
	w     io.Writer
	bar   *progressbar.ProgressBar // nil without a terminal
	start time.Time
	quiet time.Time // of the last line
	// weight has the expected time of each job.
	weight      []float64
	part        []float64 // the done part of each job, 0 to 1
	total, done float64
	finished    int
}

// barSteps is the number of steps of the bar.
const barSteps = 1000

func newDisplay(w io.Writer, weight []float64) *display {
	now := time.Now()
	p := &display{w: w, start: now, quiet: now, weight: weight, part: make([]float64, len(weight))}
	for _, x := range weight {
		p.total += x
	}
	if isTerminal(w) {
		p.bar = progressbar.NewOptions(barSteps, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(25),
			progressbar.OptionSetPredictTime(false), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

// update shows that a part of job i is done.
func (p *display) update(i int, name string, part float64, loss Number) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(i, part)
	text := fmt.Sprintf("%s, loss %.4g, %s", name, float64(loss), p.left())
	if p.bar != nil {
		p.bar.Describe(text)
		p.bar.Set(int(barSteps * p.done / p.total))
	} else if time.Since(p.quiet) > time.Minute {
		p.line("%d of %d: %s", p.finished+1, len(p.weight), text)
	}
}

// finish shows that job i has ended, and how.
func (p *display) finish(i int, name, outcome string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(i, 1)
	p.finished++
	if p.bar != nil {
		p.bar.Set(int(barSteps * p.done / p.total))
		return
	}
	p.line("%d of %d: %s: %s, %s", p.finished, len(p.weight), name, outcome, p.left())
}

func (p *display) advance(i int, part float64) {
	p.done += (part - p.part[i]) * p.weight[i]
	p.part[i] = part
}

func (p *display) line(format string, args ...any) {
	p.quiet = time.Now()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// left is the estimated remaining time.
func (p *display) left() string {
	if p.done <= 0 {
		return "time left unknown"
	}
	rest := float64(time.Since(p.start)) * (p.total - p.done) / p.done
	return duration(time.Duration(max(0, rest))) + " left"
}

func (p *display) close() {
	if p.bar != nil {
		p.bar.Finish()
	}
}

// duration is a rounded time with its unit.
func duration(d time.Duration) string {
	switch {
	case d < 100*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
