package suite

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far a list of jobs is, with the time that is left: a bar on
// a terminal, a line for each finished job and each minute elsewhere.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	bar   *progressbar.ProgressBar // nil without a terminal
	start time.Time
	quiet time.Time // of the last line
	// weight of each job is its expected part of the work.
	weight      []float64
	part        []float64 // of each job that is done, 0 to 1
	total, done float64
	finished    int
}

// barSteps is the resolution of the bar.
const barSteps = 1000

func newProgress(w io.Writer, weight []float64) *progress {
	now := time.Now()
	p := &progress{w: w, start: now, quiet: now, weight: weight, part: make([]float64, len(weight))}
	for _, x := range weight {
		p.total += x
	}
	if isTerminal(w) {
		p.bar = progressbar.NewOptions(barSteps, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(25),
			progressbar.OptionSetPredictTime(false), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

// tick tells that a part of job i is done.
func (p *progress) tick(i int, name string, part float64, loss Number) {
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

// finish tells that job i is behind, and how it ended.
func (p *progress) finish(i int, name, outcome string) {
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

func (p *progress) advance(i int, part float64) {
	p.done += (part - p.part[i]) * p.weight[i]
	p.part[i] = part
}

func (p *progress) line(format string, args ...any) {
	p.quiet = time.Now()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// left is the time that the rest will take.
func (p *progress) left() string {
	if p.done <= 0 {
		return "time left unknown"
	}
	rest := float64(time.Since(p.start)) * (p.total - p.done) / p.done
	return duration(time.Duration(max(0, rest))) + " left"
}

func (p *progress) close() {
	if p.bar != nil {
		p.bar.Finish()
	}
}

// duration is a time in one or two units.
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
