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

// Show reports the number of bytes that have arrived.
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

// Downloads shows one download after the other; its Show is a
// datasets.Progress.
type Downloads struct {
	w    io.Writer
	name string
	now  *Bytes
}

// NewDownloads writes to w.
func NewDownloads(w io.Writer) *Downloads { return &Downloads{w: w} }

// Show reports the number of bytes of a file that have arrived. total is its size, -1
// where that is unknown.
func (d *Downloads) Show(name string, done, total int64) {
	if name != d.name {
		d.Close()
		fmt.Fprintf(d.w, "downloading %s\n", name)
		d.name, d.now = name, NewBytes(d.w, name, total)
	}
	d.now.Show(done)
}

// Close takes the bar away.
func (d *Downloads) Close() {
	if d.now != nil {
		d.now.Close()
	}
}
