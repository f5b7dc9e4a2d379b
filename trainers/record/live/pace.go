package live

import (
	"fmt"
	"math"
	"time"
)

// window is the time that the throughput is a mean over.
const window = 10 * time.Second

// pace measures how fast steps are taken.
type pace struct {
	first  mark   // the end of the first step, which has built the graphs
	recent []mark // of the last window, oldest first
}

type mark struct {
	at   time.Time
	step int
}

func (p *pace) add(now time.Time, step int) {
	if p.first.at.IsZero() {
		p.first = mark{now, step}
	}
	p.recent = append(p.recent, mark{now, step})
	old := 0
	for old < len(p.recent)-2 && now.Sub(p.recent[old+1].at) >= window {
		old++
	}
	p.recent = p.recent[old:]
	// Marks closer than a hundredth of the window are not needed: without this a fast
	// training would keep thousands.
	if n := len(p.recent); n > 2 && p.recent[n-2].at.Sub(p.recent[n-3].at) < window/100 {
		p.recent = append(p.recent[:n-2], p.recent[n-1])
	}
}

// pause forgets the recent steps: what comes between them and the next is no step.
func (p *pace) pause() { p.recent = nil }

// perStep is the time of a step, 0 where it is not known.
func (p *pace) perStep() time.Duration {
	if len(p.recent) < 2 {
		return 0
	}
	a, b := p.recent[0], p.recent[len(p.recent)-1]
	return b.at.Sub(a.at) / time.Duration(max(b.step-a.step, 1))
}

// left is the time that so many steps more will take, with all that is done between steps,
// and -1 where it is not known.
func (p *pace) left(now time.Time, step, steps int) time.Duration {
	if step <= p.first.step {
		return -1
	}
	t := float64(now.Sub(p.first.at)) / float64(step-p.first.step) * float64(steps)
	if t < math.MaxInt64 {
		return time.Duration(t)
	}
	return math.MaxInt64
}

// inWords writes a time with the two largest units that it has.
func inWords(d time.Duration) string {
	switch seconds := int64(d.Round(time.Second) / time.Second); {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min %02d s", seconds/60, seconds%60)
	case seconds < 48*3600:
		return fmt.Sprintf("%d h %02d min", seconds/3600, seconds/60%60)
	default:
		return fmt.Sprintf("%d d %02d h", seconds/86400, seconds/3600%24)
	}
}
