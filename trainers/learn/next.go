package learn

import (
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// Waiting is a Learner whose meta-step may need the mini-batch that follows: Learn begins it,
// and Finish takes it at the next step.
type Waiting interface {
	Learner
	// Waits reports whether a meta-step has begun.
	Waits() bool
	// Finish ends it, before the weights have moved again: loss and g are those of the next
	// mini-batch, g neither clipped nor in rows.
	Finish(loss float64, g []*tensor.Dense) (*record.MetaStats, error)
	// Drop forgets it: the weights are others than it has led to.
	Drop()
}

// WaitingOf is a learner of which a meta-step waits, nil for others.
func WaitingOf(l Learner) Waiting {
	if w, ok := l.(Waiting); ok && w.Waits() {
		return w
	}
	return nil
}

// nextBatch is a meta-step on learning rates that waits for the next mini-batch B⁺. A step of
// the weights leads to the lookahead's θ' itself. So the gradient of the next step is that of
// J_B⁺ at θ', and the loss of Q costs inner products:
//
//	∂J_B⁺(θ')/∂log η_k = -s·η_k·Σ_i <g_i, d_i>
type nextBatch struct {
	look    *rates
	d       []*tensor.Dense // of the lookahead
	numbers []float64       // those below, for checkpoints
	state   []float64       // one number: idle, begun or spoiled
	terms   []float64       // FSD, WSD, λ_FSD and λ_WSD
	factors []float64       // -∂θ'/∂φ_k in units of d: s·η_k, or s where φ_k = η_k
	dphi    []float64       // the derivatives of λ_FSD·FSD + λ_WSD·WSD
	views   []*tensor.Dense // of the numbers of dphi
}

// States of a meta-step. The derivative of a spoiled one is not finite.
const (
	idle = iota
	begun
	spoiled
)

func newNextBatch(f *rates) *nextBatch {
	groups := f.look.Groups()
	n := &nextBatch{look: f, numbers: make([]float64, 5+2*groups)}
	rest := n.numbers
	take := func(k int) (part []float64) { part, rest = rest[:k:k], rest[k:]; return part }
	n.state, n.terms, n.factors, n.dphi = take(1), take(4), take(groups), rest
	for k := range n.dphi {
		n.views = append(n.views, array.Vector(n.dphi[k:k+1]))
	}
	return n
}

// make makes the arrays of the directions, where they are not there.
func (n *nextBatch) make() {
	if n.d == nil {
		n.d = array.ZerosLike(n.look.params)
	}
}

// arrays lists what a checkpoint has of it.
func (n *nextBatch) arrays() []checkpoint.NamedTensor {
	n.make()
	all := []checkpoint.NamedTensor{{Name: "next/numbers", Value: array.Vector(n.numbers)}}
	for i, p := range n.look.params {
		all = append(all, checkpoint.NamedTensor{Name: "next/direction/" + p.Name, Value: n.d[i]})
	}
	return all
}

// begin keeps what m says of the other terms of Q, whose derivatives are in dphi, and the step.
// fine is false where they are not finite.
func (n *nextBatch) begin(in *Input, m *record.MetaStats) (fine bool) {
	n.state[0] = begun
	copy(n.terms, []float64{m.FSD, m.WSD, m.LambdaFSD, m.LambdaWSD})
	for _, part := range [][]float64{n.terms, n.dphi} {
		for i, x := range part {
			if !array.IsFinite(x) {
				n.state[0], part[i] = spoiled, 0
			}
		}
	}
	for k := range n.factors {
		n.factors[k] = in.Scale
		if !n.look.look.Linear {
			n.factors[k] *= n.look.rateOf(k)
		}
	}
	n.make()
	for i, d := range n.d {
		array.Copy(d, in.Inputs[i])
	}
	return n.state[0] == begun
}

// stats are those of Q with the loss on the next mini-batch.
func (n *nextBatch) stats(loss float64) *record.MetaStats {
	m := &record.MetaStats{Loss: loss, FSD: n.terms[0], WSD: n.terms[1], LambdaFSD: n.terms[2], LambdaWSD: n.terms[3]}
	m.Q = m.Loss + m.LambdaFSD*m.FSD + m.LambdaWSD*m.WSD
	return m
}

// gradient sets dphi to ∂Q/∂φ with the gradient g of the loss at θ'. fine is that of begin;
// where it is false dphi is NaN.
func (n *nextBatch) gradient(dphi, g []*tensor.Dense) (fine bool) {
	sums := slices.Clone(n.dphi)
	for i, k := range n.look.look.Group {
		sums[k] -= n.factors[k] * array.Inner(g[i:i+1], n.d[i:i+1])
	}
	fine = n.state[0] == begun
	for k, d := range dphi {
		if d.Float64s()[0] = sums[k]; !fine {
			d.Float64s()[0] = math.NaN()
		}
	}
	return fine
}
