package rule

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// LineSearch gives Calibrated the line along which it measures Q: θ' = θ - b·e. The
// search direction e is the step of the rule without momentum, linear in the gradient.
//
// Momentum is replaced by its gain on noise. If the weights move by
// Σ_k w_k·g_(t-k) and the gradients are independent, a step has the progress
// <g_t, d> = w_0·‖g‖² and the length ‖d‖² = Σ w_k²·‖g‖²; a step along s·g has
// the same ratio of the two for s = Σ w_k²/w_0, which is 1/(1-μ²) for heavy
// momentum (NoiseGain) and 1/(1+β1) for Adam's average. So a rule with heavy
// momentum on a preconditioned gradient has e = P·g·NoiseGain(μ).
type LineSearch interface {
	// CheckLineSearch reports settings for which there is no such step.
	CheckLineSearch() error
	// SearchDirection is e of the step whose directions were computed last. The arrays are
	// the rule's own, valid until its next step.
	SearchDirection(in Input) ([]*tensor.Dense, error)
	// Correction is a factor on the rate of parameter i at step t, counted from 1, that makes
	// up for averages which are not yet filled; e has it too.
	Correction(i, t int) float64
}

// NoiseGain is the gain of momentum mu on noise, 1/(1-mu²).
func NoiseGain(mu float64) float64 { return 1 / (1 - mu*mu) }

// elementLineSearch is the LineSearch of an elementwise rule.
type elementLineSearch[T apoops.Float] struct {
	rule *elementwise[T]
	k    SearchKernel[T]
	e    []*tensor.Dense
}

func (p *elementLineSearch[T]) Correction(_, t int) float64 { return p.k.Correction(t) }

func (p *elementLineSearch[T]) CheckLineSearch() error { return nil }

func (p *elementLineSearch[T]) SearchDirection(in Input) ([]*tensor.Dense, error) {
	params := p.rule.params
	if p.e == nil {
		p.e = array.ZerosLike(params)
	}
	if err := CheckGradients(params, in.G); err != nil {
		return nil, err
	}
	for i, q := range params {
		d, g, seen := apoops.Elements[T](p.e[i]), apoops.Elements[T](in.G[i]), p.rule.view(i)
		par.For(q.Value.DataSize(), elementBlock, func(lo, hi int) {
			m, wide := make([][]T, len(p.rule.names)), make([][elementBlock]T, p.rule.wide)
			for end := lo; lo < hi; lo = end {
				var w []T
				w, end = seen.part(lo, hi)
				p.rule.m[i].read(m, wide, lo, end)
				p.k.SearchDirection(d[lo:end], w, g[lo:end], m)
			}
		})
	}
	return p.e, nil
}
