package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// LiveHelp describes the flag -live.
const LiveHelp = "show loss, learning rate, throughput and time left as the run goes on; lines where standard error is no terminal"

// lines is the number of lines that stand for a whole bar where there is no
// terminal.
const lines = 5

// Progress shows how far a task is: a bar on a terminal, a few lines elsewhere.
type Progress struct {
	w     io.Writer
	title string
	total int
	bar   *progressbar.ProgressBar // nil without a terminal
	shown int                      // lines written
}

// NewProgress starts a task of total steps.
func NewProgress(w io.Writer, title string, total int) *Progress {
	p := &Progress{w: w, title: title, total: total}
	if isTerminal(w) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(title), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

// Show reports the number of steps done and the loss of the last.
func (p *Progress) Show(done int, loss float64) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s, loss %.4f", p.title, loss))
		p.bar.Set(done)
		return
	}
	if part := done * lines / p.total; part > p.shown {
		p.shown = part
		fmt.Fprintf(p.w, "%s: %d of %d steps, loss %.4f\n", p.title, done, p.total, loss)
	}
}

// Close takes the bar away.
func (p *Progress) Close() {
	if p.bar != nil {
		p.bar.Finish()
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
