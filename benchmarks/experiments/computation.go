package experiments

import (
	"context"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// Computation calculates a result of an experiment without training methods. The
// result is stored as JSON.
type Computation interface {
	// Compute calculates the result at a scale.
	Compute(ctx context.Context, s Scale) (Result, error)
	// Decode reads a stored result. It returns an error for one that is incomplete.
	Decode(text []byte) (Result, error)
	// Claims are the claims of the paper that a result can decide.
	Claims() []Claim
}

// Result is the result of a Computation. It must encode as JSON.
type Result interface {
	// Figures draws the result. title is the experiment's title.
	Figures(title string) []Figure
}

// Figure is a chart with a caption. Name is a part of the file's name and must be
// unique in the experiment.
type Figure struct {
	Name, Caption string
	Chart         chart.Chart
}

// Claim is a claim of the paper that a Result can decide.
type Claim struct {
	// Where is the place of the claim in the paper, such as a section.
	Where, Text string
	// Decide reports whether the claim holds for a result of its experiment, and the
	// numbers on which that depends.
	Decide func(r Result) (holds bool, numbers string)
}
