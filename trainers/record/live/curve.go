package live

import (
	"math"
	"strings"
)

// mostBins is how many means a curve keeps. It is even, and more than a line is wide.
const mostBins = 256

// curve has a run of any length as means over equally many steps. Where it has mostBins of
// them, neighbours are joined.
type curve struct {
	bins []float64
	per  int     // values in each of the bins; 0 for the first
	sum  float64 // of those that are not in a bin yet
	n    int
}

func (c *curve) add(v float64) {
	c.per = max(c.per, 1)
	c.sum += v
	c.n++
	if c.n < c.per {
		return
	}
	c.bins = append(c.bins, c.sum/float64(c.n))
	c.sum, c.n = 0, 0
	if len(c.bins) == mostBins {
		for i := range mostBins / 2 {
			c.bins[i] = (c.bins[2*i] + c.bins[2*i+1]) / 2
		}
		c.bins, c.per = c.bins[:mostBins/2], 2*c.per
	}
}

// values are the means, the last one over the steps so far.
func (c *curve) values() []float64 {
	if c.n == 0 {
		return c.bins
	}
	return append(c.bins[:len(c.bins):len(c.bins)], c.sum/float64(c.n))
}

// heights are those of a sparkline's characters.
var heights = []rune("▁▂▃▄▅▆▇█")

// noNumber stands for values that are NaN or infinite.
const noNumber = '×'

// sparkline draws values in at most so many characters, from the least value to the
// largest. The scale is logarithmic where all are positive.
func sparkline(values []float64, width int) string {
	values = resampled(values, width)
	scale := func(v float64) float64 { return v }
	low, high := bounds(values)
	if low > 0 {
		scale = math.Log
	}
	low, high = scale(low), scale(high)
	var b strings.Builder
	for _, v := range values {
		switch {
		case !finite(v):
			b.WriteRune(noNumber)
		case high-low <= 0:
			b.WriteRune(heights[0])
		default:
			// Half of the range first: it may be as large as the largest number.
			part := (scale(v)/2 - low/2) / (high/2 - low/2)
			b.WriteRune(heights[min(int(part*float64(len(heights))), len(heights)-1)])
		}
	}
	return b.String()
}

// resampled are means of at most so many groups of neighbours.
func resampled(values []float64, width int) []float64 {
	width = max(width, 0)
	if len(values) <= width {
		return values
	}
	means := make([]float64, width)
	for i := range means {
		from, to := i*len(values)/width, (i+1)*len(values)/width
		for _, v := range values[from:to] {
			means[i] += v / float64(to-from)
		}
	}
	return means
}

// bounds are the least and the largest of the numbers; 0 where there are none.
func bounds(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if low > high {
		return 0, 0
	}
	return low, high
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
