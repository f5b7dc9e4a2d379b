package peers

import "slices"

// measurement is the result of one process.
type measurement struct {
	Median float64 `json:"median_ms"` // of the times of a step
	Min    float64 `json:"min_ms"`
	// Peak is the largest resident memory of the process, Base its resident memory
	// before it makes the net: program, libraries and, for PyTorch, the Python
	// interpreter. 0 means unknown.
	Peak int64 `json:"peak_bytes"`
	Base int64 `json:"base_bytes"`
	// Parameters is the number of learned parameters.
	Parameters int `json:"parameters"`
	// Losses are those of the first steps, or of all, where sides start from the same
	// weights.
	Losses []float64 `json:"losses,omitempty"`
	// Targets are the best translations of all sources.
	Targets [][]int `json:"targets,omitempty"`
	Version string  `json:"version"`
	BLAS    string  `json:"blas"`
	Threads int     `json:"threads"`
}

// side is a library in a comparison, with a measurement for each round so far.
type side struct {
	name string
	run  measureFunc
	all  []measurement
	// ownWeights says that the library draws the first weights, so that its losses are not
	// compared.
	ownWeights bool
}

// median is the median of the rounds' medians, in milliseconds.
func (c *side) median() float64 {
	return median(collect(c.all, func(m measurement) float64 { return m.Median }))
}

// min is the least time of all rounds, in milliseconds.
func (c *side) min() float64 {
	return slices.Min(collect(c.all, func(m measurement) float64 { return m.Min }))
}

// peak is the median of the rounds' peaks of resident memory, in megabytes.
func (c *side) peak() float64 {
	return median(collect(c.all, func(m measurement) float64 { return float64(m.Peak) / 1e6 }))
}

// grown is the median over the rounds of peak minus base, in megabytes.
func (c *side) grown() float64 {
	return median(collect(c.all, func(m measurement) float64 { return float64(m.Peak-m.Base) / 1e6 }))
}

func collect(all []measurement, of func(measurement) float64) []float64 {
	x := make([]float64, len(all))
	for i, m := range all {
		x[i] = of(m)
	}
	return x
}

// median is the median of x, which must not be empty.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}
