package peers

import "slices"

// measurement is what one process measured.
type measurement struct {
	Median float64 `json:"median_ms"` // a step
	Min    float64 `json:"min_ms"`
	// Peak is the process's largest resident memory from its start to its end,
	// Base what it has before the net is made: program, libraries and, for
	// PyTorch, the Python interpreter. 0 where they are not known.
	Peak int64 `json:"peak_bytes"`
	Base int64 `json:"base_bytes"`
	// Parameters is the number of learned numbers.
	Parameters int    `json:"parameters"`
	Version    string `json:"version"`
	BLAS       string `json:"blas"`
	Threads    int    `json:"threads"`
}

// contender is one side of a contest with what was measured so far, a measurement
// a round.
type contender struct {
	name string
	run  measure
	all  []measurement
}

// median is the median of the rounds' medians, in milliseconds.
func (c *contender) median() float64 {
	return median(collect(c.all, func(m measurement) float64 { return m.Median }))
}

// min is the least time of all rounds, in milliseconds.
func (c *contender) min() float64 {
	return slices.Min(collect(c.all, func(m measurement) float64 { return m.Min }))
}

// peak is the median of the rounds' peaks of resident memory, in megabytes.
func (c *contender) peak() float64 {
	return median(collect(c.all, func(m measurement) float64 { return float64(m.Peak) / 1e6 }))
}

// grown is peak less what the process had before the net.
func (c *contender) grown() float64 {
	return median(collect(c.all, func(m measurement) float64 { return float64(m.Peak-m.Base) / 1e6 }))
}

func collect(all []measurement, of func(measurement) float64) []float64 {
	x := make([]float64, len(all))
	for i, m := range all {
		x[i] = of(m)
	}
	return x
}

// median is the middle of x, which has an element.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}
