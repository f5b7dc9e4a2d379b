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

// forgetful is an optimizer whose rule has one direction, for the first parameter.
type forgetful struct{ signConfig }

func (*forgetful) Name() string                        { return "forgetful" }
func (*forgetful) Start(*rule.Task) (rule.Rule, error) { return first{}, nil }

type first struct{ normalised }

func (first) Directions(in rule.Input) ([]*tensor.Dense, error) { return in.G[:1], nil }

// A rule around another takes its directions, which are checked.
func ExampleDirections() {
	array := func() *tensor.Dense { return tensor.New(tensor.WithShape(2), tensor.Of(tensor.Float32)) }
	params := []*graph.Param{{Name: "w", Value: array()}, {Name: "b", Value: array()}}
	for _, o := range []rule.Optimizer{&signConfig{LR: 0.1}, &forgetful{}} {
		r, err := rule.Start(o, &rule.Task{Params: params})
		if err != nil {
			fmt.Println(err)
			return
		}
		d, err := rule.Directions(o, r, params, rule.Input{T: 1, G: []*tensor.Dense{array(), array()}})
		fmt.Println(len(d), err)
	}
	// Output:
	// 2 <nil>
	// 0 directions of forgetful: there are 1 directions for 2 parameters
}

// Conditions on hyperparameters, of which the first that does not hold is the error.
func ExampleFirstFailed() {
	check := func(momentum, decay float64, every int) error {
		return rule.FirstFailed("lion",
			rule.Fraction("momentum", momentum), rule.NotNegative("weight_decay", decay), rule.AtLeastOne("every", every),
			rule.Require("every", float64(every), every%2 == 0, "even"))
	}
	fmt.Println(check(0.9, 0, 2))
	fmt.Println(check(1, 0, 2))
	fmt.Println(check(0.9, 0, 3))
	// Output:
	// <nil>
	// trainers: lion: momentum is 1: it must be at least 0 and less than 1
	// trainers: lion: every is 3: it must be even
}

// A step whose KL divergence would be four times the limit is halved.
func ExampleKLClip() {
	fmt.Println(rule.KLClip(0.001, 0.004), rule.KLClip(0.001, 0.0001), rule.KLClip(0, 1))
	// Output: 0.5 1 1
}

// Momentum of 0.9 multiplies the variance of a step by 1/(1-0.81).
func ExampleNoiseGain() {
	fmt.Printf("%.2f\n", rule.NoiseGain(0.9))
	// Output: 5.26
}

// A gradient that was lost on the way, and one of another shape.
func ExampleCheckGradients() {
	array := func(n int) *tensor.Dense { return tensor.New(tensor.WithShape(n), tensor.Of(tensor.Float32)) }
	params := []*graph.Param{{Name: "w", Value: array(2)}, {Name: "b", Value: array(1)}}
	fmt.Println(rule.CheckGradients(params, []*tensor.Dense{array(2), array(1)}))
	fmt.Println(rule.CheckGradients(params, []*tensor.Dense{array(2), nil}))
	fmt.Println(rule.CheckGradients(params, []*tensor.Dense{array(3), array(1)}))
	// Output:
	// <nil>
	// trainers: there is no gradient of "b"
	// trainers: gradient of "w" is float32 of shape (3), not float32 of shape (2)
}

// All parameters are one group, and none is frozen, where the optimizer has no groups.
func ExampleGroupsOf() {
	w := tensor.New(tensor.WithShape(2, 2), tensor.Of(tensor.Float32))
	params := []*graph.Param{{Name: "first", Matrix: true, Value: w}, {Name: "second", Matrix: true, Value: w.Clone().(*tensor.Dense)}}
	o := rule.Adam(0.001)
	learned, blocks, err := rule.Freeze(o, params, graph.BlockPerParam(params))
	if err != nil {
		fmt.Println(err)
		return
	}
	groups, err := rule.GroupsOf(o, learned)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(blocks), groups.Of, groups.Rates)
	// Output: 2 [0 0] [0.001]
}

// The notes of a rule that does not treat all blocks in its own form.
func ExampleSimplified() {
	const maxDim = 1024
	var plain rule.Simplified
	for _, b := range []graph.Block{
		{Name: "conv5", Rows: 2305, Cols: 512, Matrix: true}, {Name: "dense6", Rows: 513, Cols: 10, Matrix: true}, {Name: "bn1/scale", Rows: 1, Cols: 64},
		{Name: "encoder0/norm0/gain", Rows: 1, Cols: 64}, {Name: "encoder0/norm1/gain", Rows: 1, Cols: 64}, {Name: "encoder1/norm0/gain", Rows: 1, Cols: 64},
		{Name: "out/gain", Rows: 1, Cols: 64}, {Name: "encoder1/norm1/gain", Rows: 1, Cols: 64}, {Name: "bn2/scale", Rows: 1, Cols: 64},
	} {
		switch {
		case !b.Matrix:
			plain.Add(b, rule.NoMatrix)
		case rule.TooLarge(b, maxDim):
			plain.Add(b, rule.Beyond(maxDim))
		}
	}
	for _, line := range plain.Lines("kfac", "plain gradient") {
		fmt.Println(line)
	}
	// Output:
	// kfac: plain gradient for conv5: more than 1024 rows or columns (max_dim)
	// kfac: plain gradient for bn1/scale, encoder*/norm*/gain (4), out/gain, bn2/scale: no weight matrix
}

// Of a rule's hyperparameters those that are above 0 can be learned.
func ExampleTunedValue() {
	have := []rule.Hyperparameter{{Name: rule.WeightDecay, Value: 0.01}, {Name: rule.Epsilon, Value: 0}}
	fmt.Println(rule.TunedValue(rule.WeightDecay, have))
	fmt.Println(rule.CheckTuned([]string{rule.WeightDecay, rule.Epsilon}, have))
	// Output:
	// 0.01 <nil>
	// eps is 0: log eps is learned, so it must start above 0
}
