package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Bytes shows how far a download is: a bar on a terminal, a few lines elsewhere.
type Bytes struct {
	w     io.Writer
	title string
	total int64
	bar   *progressbar.ProgressBar // nil without a terminal
	shown int64                    // lines written
}

// NewBytes starts a download of total bytes, -1 where that is not known.
func NewBytes(w io.Writer, title string, total int64) *Bytes {
	b := &Bytes{w: w, title: title, total: total}
	if isTerminal(w) {
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(title), progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return b
}

// Show tells that done bytes are there.
func (b *Bytes) Show(done int64) {
	switch {
	case b.bar != nil:
		b.bar.Set64(done)
	case b.total > 0:
		if part := done * lines / b.total; part > b.shown {
			b.shown = part
			fmt.Fprintf(b.w, "%s: %d of %d MB\n", b.title, done>>20, b.total>>20)
		}
	}
}

// Close takes the bar away.
func (b *Bytes) Close() {
	if b.bar != nil {
		b.bar.Finish()
	}
}
