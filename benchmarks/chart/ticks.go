package chart

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// logTicks marks the powers of ten and, unless there are many, their multiples by 2 to
// 9. It labels the powers, or only some of them if there are many. If there are few
// it also labels their multiples by 2 and 5.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	powers := math.Log10(hi / lo)
	few, many, every := powers < 2.5, powers > 8, 1+int(powers/10)
	for power := math.Floor(math.Log10(lo)); power <= math.Log10(hi); power++ {
		for m := 1.0; m <= 9; m++ {
			v := m * math.Pow(10, power)
			if v < lo || v > hi || many && m > 1 {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 && int(power)%every == 0 || few && (m == 2 || m == 5) {
				t.Label = strconv.FormatFloat(v, 'g', 3, 64)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// linearTicks are the usual ones with labels as short as can be.
type linearTicks struct{}

// Ticks implements plot.Ticker.
func (linearTicks) Ticks(lo, hi float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(lo, hi)
	for i, t := range ticks {
		v, err := strconv.ParseFloat(t.Label, 64)
		if err != nil { // it has no label
			continue
		}
		format := byte('f')
		if a := math.Abs(v); a >= 1e6 || a > 0 && a < 1e-4 {
			format = 'g'
		}
		ticks[i].Label = strconv.FormatFloat(v, format, -1, 64)
	}
	return ticks
}
