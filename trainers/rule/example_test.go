package rule_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// signConfig is sign gradient descent, θ ← θ - η·sign g.
type signConfig struct {
	rule.OptimizerBase
	LR float64 `json:"lr"`
}

func (c *signConfig) Name() string          { return "sign" }
func (c *signConfig) LearningRate() float64 { return c.LR }
func (c *signConfig) Validate() error {
	return rule.FirstFailed("sign", rule.Positive("lr", c.LR))
}

func (c *signConfig) Start(t *rule.Task) (rule.Rule, error) {
	return rule.Elementwise(t, sign[float32]{}, sign[float64]{})
}

// sign is its kernel.
type sign[T apoops.Float] struct{ rule.KernelBase }

func (sign[T]) Moments() []string { return nil }

func (sign[T]) Direction(d, _, g []T, _ [][]T) []T {
	for i, x := range g {
		switch {
		case x > 0:
			d[i] = 1
		case x < 0:
			d[i] = -1
		default:
			d[i] = 0
		}
	}
	return d
}

// A rule that works element by element is a Kernel.
func ExampleElementwise() {
	w := tensor.New(tensor.WithShape(3), tensor.WithBacking([]float32{1, 2, 3}))
	r, err := (&signConfig{LR: 0.5}).Start(&rule.Task{Params: []*graph.Param{{Name: "w", Value: w}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := tensor.New(tensor.WithShape(3), tensor.WithBacking([]float32{-7, 0, 7}))
	if err := r.Fused().Step(rule.Input{T: 1, G: []*tensor.Dense{g}}, []float64{0.5}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.Data())
	// Output: [1.5 2 2.5]
}

// normalised is gradient descent with the gradient of each parameter divided by its
// norm: a rule that is no Kernel.
type normalised struct{ rule.Base }

func (normalised) State() []checkpoint.NamedTensor { return nil }

func (normalised) Directions(in rule.Input) ([]*tensor.Dense, error) {
	d := make([]*tensor.Dense, len(in.G))
	for i, g := range in.G {
		var err error
		if d[i], err = g.DivScalar(in.Norm, true); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Any other rule embeds Base and implements Directions and State.
func ExampleBase() {
	var r rule.Rule = normalised{}
	g := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{3, 4}))
	d, err := r.Directions(rule.Input{T: 1, G: []*tensor.Dense{g}, Norm: 5})
	fmt.Println(d[0].Data(), err)
	// Output: [0.6 0.8] <nil>
}
