package live

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apo-gorgonia/apo/trainers/record"
)

// The control sequences of terminals that are used.
const (
	eraseLine = "\x1b[K" // from the cursor to the end of the line
	erase     = "\x1b[J" // from the cursor to the end of the screen
)

// mostColumns is how wide a frame is at most.
const mostColumns = 100

// draw draws the picture over the last one. All is in one write, and lines are overwritten
// before the rest of them is erased: nothing flickers.
func (v *View) draw(now time.Time) {
	columns, rows := v.size()
	lines := v.frame(now, min(columns-1, mostColumns))
	lines = lines[:max(1, min(len(lines), rows-1))]
	var b strings.Builder
	b.WriteString(v.home())
	v.widest = 0
	for _, l := range lines {
		b.WriteString(l + eraseLine + "\r\n")
		v.widest = max(v.widest, utf8.RuneCountInString(l))
	}
	b.WriteString(erase)
	v.rows, v.shown = len(lines), now
	v.write(b.String())
}

// home moves the cursor to the beginning of the picture. Where the terminal has become too
// small for it, nobody knows where that is now: some terminals break lines anew and others
// cut them. Then the picture stays, and the next one is below.
func (v *View) home() string {
	columns, rows := v.size()
	if v.rows == 0 || v.widest >= columns || v.rows >= rows {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", v.rows)
}

// frame are the lines of the picture, none wider than width.
func (v *View) frame(now time.Time, width int) []string {
	lines := []string{v.title() + v.position(), v.chart("loss", v.lastLoss, &v.loss, width)}
	if v.rateOf != "" {
		lines = append(lines, v.chart(v.rateOf, v.lastRate, &v.rate, width))
	}
	if speed := v.speed(now); speed != "" {
		lines = append(lines, speed)
	}
	for i, l := range lines {
		lines[i] = cut(l, width)
	}
	return lines
}

// cut is the text up to so many characters.
func cut(text string, width int) string {
	for i := range text {
		if width--; width < 0 {
			return text[:i]
		}
	}
	return text
}

func (v *View) title() string {
	if v.c.Title == "" {
		return ""
	}
	return v.c.Title + ": "
}

// position says how far the run is.
func (v *View) position() string {
	done := v.step + 1
	if v.c.Steps < 1 {
		return fmt.Sprintf("step %d", done)
	}
	return fmt.Sprintf("step %d of %d, %d%%", done, v.c.Steps, int(100*float64(done)/float64(v.c.Steps)))
}

// chart is a line with a number and its curve.
func (v *View) chart(name string, now float64, c *curve, width int) string {
	text := fmt.Sprintf("%-4s %-9s", name, fmt.Sprintf("%.4g", now))
	return text + sparkline(c.values(), width-utf8.RuneCountInString(text))
}

// speed has the throughput and the time left, as far as they are known.
func (v *View) speed(now time.Time) string {
	var parts []string
	if t := v.pace.perStep(); t > 0 {
		unit, n := v.c.Unit, float64(v.c.Examples)
		if n < 1 {
			unit, n = "steps", 1
		} else if unit == "" {
			unit = "examples"
		}
		parts = append(parts, fmt.Sprintf("%s %s/s", digits(n/t.Seconds()), unit), fmt.Sprintf("%s ms a step", digits(1000*t.Seconds())))
	}
	if steps := v.c.Steps - v.step - 1; steps > 0 {
		if left := v.pace.left(now, v.step, steps); left >= 0 {
			parts = append(parts, inWords(left)+" left")
		}
	}
	return strings.Join(parts, ", ")
}

// digits writes a positive number with three digits, or all of those before the point.
func digits(x float64) string {
	if x >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

// every is the number of steps from one line to the next, where lines are written.
func (v *View) every() int {
	if v.c.Steps < 1 {
		return 100
	}
	return max(1, v.c.Steps/20)
}

// line writes a line if it is time.
func (v *View) line(now time.Time) {
	done := v.step + 1
	if done < v.next && done != v.c.Steps {
		return
	}
	v.next = (done/v.every() + 1) * v.every()
	text := fmt.Sprintf("%s%s, loss %.4g", v.title(), v.position(), v.lastLoss)
	if v.rateOf != "" {
		text += fmt.Sprintf(", %s %.4g", v.rateOf, v.lastRate)
	}
	if speed := v.speed(now); speed != "" {
		text += ", " + speed
	}
	v.write(text + "\n")
}

// rateOf is what a step says of the size of steps: the rate, the geometric mean of several,
// or at meta-steps the trace of P over all blocks. what is "" where it says nothing.
func rateOf(s record.Stats) (what string, x float64) {
	if n := float64(len(s.Rates)); n > 0 {
		logs := 0.0
		for _, r := range s.Rates {
			logs += math.Log(r) / n
		}
		return "rate", math.Exp(logs)
	}
	trace, measured := 0.0, false
	for _, p := range s.Precond {
		if p.Measures != nil {
			trace, measured = trace+p.Measures.Trace, true
		}
	}
	if !measured {
		return "", 0
	}
	return "tr P", trace
}
