package extend

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// LARSConfig is layer-wise adaptive rate scaling (You, Gitman & Ginsburg 2017). For
// the weights w of a layer and their gradient g,
//
//	m ← Momentum·m + Trust·‖w‖/‖g‖·g
//	w ← w - η·m
//
// The factor is 1 where w or g is zero. Make it with LARS.
type LARSConfig struct {
	rule.OptimizerBase
	LR       float64 `json:"lr"`
	Momentum float64 `json:"momentum"` // at least 0, below 1
	Trust    float64 `json:"trust"`    // above 0
}

var _ rule.Optimizer = (*LARSConfig)(nil)

// LARS has momentum 0.9 and trust coefficient 0.01.
func LARS(lr float64) *LARSConfig { return &LARSConfig{LR: lr, Momentum: 0.9, Trust: 0.01} }

// Name implements rule.Optimizer.
func (c *LARSConfig) Name() string { return "lars" }

// LearningRate implements rule.Optimizer.
func (c *LARSConfig) LearningRate() float64 { return c.LR }

// Validate implements rule.Optimizer.
func (c *LARSConfig) Validate() error {
	return rule.FirstFailed(c.Name(), rule.Positive("lr", c.LR), rule.Fraction("momentum", c.Momentum), rule.Positive("trust", c.Trust))
}

// Start implements rule.Optimizer.
func (c *LARSConfig) Start(t *rule.Task) (rule.Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startLARS[float32], startLARS[float64])
	if err != nil {
		return nil, err
	}
	return start(*c, t.Params), nil
}

// lars is the rule with its state. rule.Base has the methods that it does not need.
type lars[T apoops.Float] struct {
	rule.Base
	c      LARSConfig
	params []*graph.Param
	m      []*tensor.Dense // also the directions
}

func startLARS[T apoops.Float](c LARSConfig, params []*graph.Param) rule.Rule {
	r := &lars[T]{c: c, params: params}
	for _, p := range params {
		r.m = append(r.m, tensor.New(tensor.Of(p.Value.Dtype()), tensor.WithShape(p.Value.Shape().Clone()...)))
	}
	return r
}

func (r *lars[T]) Directions(in rule.Input) ([]*tensor.Dense, error) {
	for i, p := range r.params {
		g, m := apoops.Elements[T](in.G[i]), apoops.Elements[T](r.m[i])
		factor := 1.0
		if w, g := norm(apoops.Elements[T](p.Value)), norm(g); w > 0 && g > 0 {
			factor = r.c.Trust * w / g
		}
		for j, x := range g {
			m[j] = T(r.c.Momentum)*m[j] + T(factor)*x
		}
	}
	return r.m, nil
}

func (r *lars[T]) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for i, p := range r.params {
		all = append(all, checkpoint.NamedTensor{Name: p.Name + "/m", Value: r.m[i]})
	}
	return all
}

func norm[T apoops.Float](x []T) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
