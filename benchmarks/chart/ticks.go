package chart

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// logTicks marks 1, 2, …, 9 times powers of ten, the powers alone where there
// are many. It labels the powers, and where there are few of them 2 and 5 times
// them too, where there are many only some.
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
