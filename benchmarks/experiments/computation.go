package experiments

import (
	"context"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// Computation is the part of an experiment that trains no method: a result that
// is calculated at once and stored as JSON.
type Computation interface {
	// Compute calculates the result at a scale.
	Compute(ctx context.Context, s Scale) (Result, error)
	// Decode reads a stored result. It refuses one that is not whole.
	Decode(text []byte) (Result, error)
	// Claims are the paper's claims that a result decides.
	Claims() []Claim
}

// Result is what a Computation calculates. It can be encoded as JSON.
type Result interface {
	// Figures show the result; title is the experiment's.
	Figures(title string) []Figure
}

// Figure is a chart with its caption. Name distinguishes it from the other
// figures of the experiment and is a part of its file's name.
type Figure struct {
	Name, Caption string
	Chart         chart.Chart
}

// Claim is a statement that a Result decides.
type Claim struct {
	// Where is its place in the paper.
	Where, Text string
	// Decide gets a result of the claim's experiment and returns whether the claim
	// holds, and the numbers that decide it.
	Decide func(r Result) (holds bool, numbers string)
}
