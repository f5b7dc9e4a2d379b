package trainers

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/internal/array"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// prober is a rule whose steps have a likeness without memory, for Calibrated:
// θ' = θ - b·e, where e is linear in the gradient of the step.
//
// Momentum is replaced by its gain on noise. If the weights move by
// Σ_k w_k·g_(t-k) and the gradients are independent, a step has the progress
// <g_t, d> = w_0·‖g‖² and the length ‖d‖² = Σ w_k²·‖g‖²; a step along s·g has
// the same ratio of the two for s = Σ w_k²/w_0, which is 1/(1-μ²) for heavy
// momentum (noiseGain) and 1/(1+β1) for Adam's average. So a rule with heavy
// momentum on a preconditioned gradient has e = P·g·noiseGain(μ).
type prober interface {
	rule
	// checkProbe reports settings with which the step has no such likeness.
	checkProbe() error
	// probe is e of the step whose directions were computed last. The arrays are
	// the rule's own, valid until its next step.
	probe(s signal) ([]*tensor.Dense, error)
	// correction is a factor on the rate of step t, counted from 1, that makes up
	// for averages which are not yet filled; e has it too.
	correction(t int) float64
}

// noiseGain is the gain of momentum mu on noise, 1/(1-mu²).
func noiseGain(mu float64) float64 { return 1 / (1 - mu*mu) }

// probeKernel is an elementKernel that makes its rule a prober.
type probeKernel[T apoops.Float] interface {
	elementKernel[T]
	// probe sets d to e, after direction has advanced the moments.
	probe(d, w, g []T, m [][]T)
	correction(t int) float64
}

// elementProber is an elementwise rule with a probeKernel.
type elementProber[T apoops.Float] struct {
	*elementwise[T]
	k probeKernel[T]
	e []*tensor.Dense
}

func (p *elementProber[T]) correction(t int) float64 { return p.k.correction(t) }

func (p *elementProber[T]) checkProbe() error { return nil }

func (p *elementProber[T]) probe(s signal) ([]*tensor.Dense, error) {
	if p.e == nil {
		p.e = array.ZerosLike(p.params)
	}
	for i, q := range p.params {
		if s.g[i].DataSize() != q.Value.DataSize() {
			return nil, ErrShape.Errorf("trainers: gradient of %q has %d elements, not %d", q.Name, s.g[i].DataSize(), q.Value.DataSize())
		}
		d, w, g := apoops.Elements[T](p.e[i]), apoops.Elements[T](q.Value), apoops.Elements[T](s.g[i])
		par.For(len(d), par.Grain, func(lo, hi int) {
			m := make([][]T, len(p.m[i]))
			for j, x := range p.m[i] {
				m[j] = x[lo:hi]
			}
			p.k.probe(d[lo:hi], w[lo:hi], g[lo:hi], m)
		})
	}
	return p.e, nil
}
