package experiments

import (
	"context"
	"encoding/json"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/layers"
)

// fig1 is Figure 1: the effect of the exact proximal update (Eq. 3) for one example
// on a function, for several weights λ_FSD and λ_WSD of the discrepancy terms.
var fig1 = &Experiment{
	Name: "fig1", Figure: "Figure 1", Title: "The exact proximal update in one dimension",
	Data: "41 points of a smooth function and one new example away from it",
	Paper: "with the weight-space term alone the update is a global adjustment that overwrites all other predictions; with the function-space term " +
		"alone it carves a spike around the example; with both it is a local adjustment that also improves predictions nearby",
	Choices: "the function ½·sin(2x) on [-2, 2], the example (0.5, 1.5); a 1-50-50-1 net with tanh, fitted by 2000 steps of Adam on all points; " +
		"B' are 201 points between -2 and 2; ½-squared errors; Eq. 3 minimised by L-BFGS; the λ",
	Computation: proximalUpdates{},
}

// proximalUpdates is the computation of fig1.
type proximalUpdates struct{}

var _ Computation = proximalUpdates{}

// Compute implements Computation.
func (proximalUpdates) Compute(ctx context.Context, s Scale) (Result, error) {
	p := &proximalDemo{
		net:   layers.MLPWith(apoops.TanhAct, 1, 50, 50, 1),
		steps: 2000, iterations: 1000,
		x: 0.5, y: 1.5,
	}
	if s == Smoke {
		p.steps, p.iterations = 300, 300
	}
	f, err := p.run(ctx)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Decode implements Computation.
func (proximalUpdates) Decode(text []byte) (Result, error) {
	var f Fig1
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, errors.Wrap(err, "Figure 1")
	}
	return &f, errors.WithMessage(f.check(), "Figure 1")
}

// Fig1 is the result of fig1.
type Fig1 struct {
	// DataX and DataY are the points that the net was fitted to.
	DataX []float64 `json:"data_x"`
	DataY []float64 `json:"data_y"`
	// ExampleX and ExampleY are the one example of the update.
	ExampleX float64 `json:"example_x"`
	ExampleY float64 `json:"example_y"`
	// X are the inputs of all curves, Before the net's outputs before the update.
	X      []float64   `json:"x"`
	Before []float64   `json:"before"`
	Panels []Fig1Panel `json:"panels"`
}

// Fig1Panel is one combination of the two terms.
type Fig1Panel struct {
	Name   string      `json:"name"` // wsd, fsd or both
	Curves []Fig1Curve `json:"curves"`
}

// Fig1Curve has the net's outputs after the update for one pair of weights.
type Fig1Curve struct {
	LambdaFSD float64   `json:"lambda_fsd"`
	LambdaWSD float64   `json:"lambda_wsd"`
	After     []float64 `json:"after"`
}

// fig1Weights are the pairs λ_FSD, λ_WSD of each panel in falling order.
var fig1Weights = []struct {
	name  string
	pairs [][2]float64
}{
	{"wsd", [][2]float64{{0, 10}, {0, 1}, {0, 0.1}, {0, 0.01}}},
	{"fsd", [][2]float64{{100, 0}, {10, 0}, {1, 0}, {0.1, 0}}},
	{"both", [][2]float64{{100, 1}, {30, 0.3}, {10, 0.1}, {3, 0.03}}},
}

// check reports curves that are missing or whose length is not that of X.
func (f *Fig1) check() error {
	if len(f.X) == 0 || len(f.Before) != len(f.X) || len(f.Panels) == 0 {
		return errors.Errorf("%d inputs, %d outputs before the update, %d panels", len(f.X), len(f.Before), len(f.Panels))
	}
	for _, p := range f.Panels {
		if len(p.Curves) == 0 {
			return errors.Errorf("panel %q has no curves", p.Name)
		}
		for _, c := range p.Curves {
			if len(c.After) != len(f.X) {
				return errors.Errorf("panel %q has a curve of %d outputs for %d inputs", p.Name, len(c.After), len(f.X))
			}
		}
	}
	return nil
}
