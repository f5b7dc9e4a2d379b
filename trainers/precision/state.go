package precision

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
)

// Kind is what an array of an optimizer's state holds.
type Kind int

// The kinds of state that may be kept in 16 bits.
const (
	// Momentum is an average of gradients or of steps; in 16 bits by default.
	Momentum Kind = iota
	// SecondMoments are averages of squares; in float32 by default: in bfloat16 an average
	// with β₂ = 0.999 does not move, in float16 squares of gradients below 2⁻¹² are 0.
	SecondMoments
	// Factors are the statistics of KFAC, EKFAC and Shampoo: Ā and Ḡ, S of EKFAC, L, R and
	// the diagonals of Shampoo; in 16 bits by default.
	Factors
	// Inverses are what is computed from stored factors: inverses, bases and roots; in 16
	// bits by default.
	Inverses
	// Phi are the factors of P of APO-Precond; in 16 bits by default. log η is none of
	// them.
	Phi
	kinds
)

// Low reports whether a kind of state is kept in 16 bits.
func (p *Precision) Low(k Kind) bool { return p != nil && p.State[k] }

// In16Bits keeps kinds of state in 16 bits.
func In16Bits(k ...Kind) Setting { return keep(true, k) }

// InFloat32 keeps kinds of state in float32.
func InFloat32(k ...Kind) Setting { return keep(false, k) }

func keep(low bool, all []Kind) Setting {
	return func(c *Config) error {
		for _, k := range all {
			if k < 0 || k >= kinds {
				return errors.Errorf("trainers: Precision: there is no kind of state %d", int(k))
			}
			c.State[k] = low
		}
		return nil
	}
}

// Keep names arrays of a rule's state of a kind, of the parameters' dtype, once when it is
// started: RoundState rounds those that are kept in 16 bits.
func (p *Precision) Keep(k Kind, arrays ...*tensor.Dense) {
	if p.Low(k) {
		p.state = append(p.state, arrays...)
	}
}

// KeepStored is Keep for arrays that change at some steps only: whoever changes them calls
// Round. It rounds them as they are.
func (p *Precision) KeepStored(k Kind, arrays ...*tensor.Dense) {
	if p.Low(k) {
		p.stored = append(p.stored, arrays...)
		p.Round(k, arrays...)
	}
}

// Limit is the largest number that an array of a kind holds, +Inf where the kind is not
// kept in 16 bits.
func (p *Precision) Limit(k Kind) float64 {
	if !p.Low(k) {
		return math.Inf(1)
	}
	return p.Format.Max()
}

// Fits reports whether arrays are finite and within the limit of a kind.
func (p *Precision) Fits(k Kind, arrays ...*tensor.Dense) bool {
	for _, a := range arrays {
		if !graph.Finite(a) || p.Low(k) && beyond(apoops.Elements[float32](a), float32(p.Limit(k))) {
			return false
		}
	}
	return true
}

// beyond reports whether a number is finite and beyond ±limit.
func beyond(x []float32, limit float32) bool {
	for _, v := range x {
		if (v > limit || v < -limit) && !math.IsInf(float64(v), 0) {
			return true
		}
	}
	return false
}

// Round rounds arrays of a kind to nearest even where that is kept in 16 bits. What is
// finite and beyond the range becomes the largest number, and each such array is counted
// (Scaler.Clamped).
func (p *Precision) Round(k Kind, arrays ...*tensor.Dense) {
	if !p.Low(k) {
		return
	}
	for _, a := range arrays {
		if p.clamp(a) {
			p.scaler.Clamped++
		}
		p.round(a)
	}
}

// clamp brings finite numbers into the range of the format.
func (p *Precision) clamp(a *tensor.Dense) (changed bool) {
	x, most := apoops.Elements[float32](a), float32(p.Format.Max())
	if !beyond(x, most) {
		return false
	}
	for i, v := range x {
		if !math.IsInf(float64(v), 0) {
			x[i] = min(max(v, -most), most)
		}
	}
	return true
}

func (p *Precision) round(a *tensor.Dense) {
	x := apoops.Elements[float32](a)
	par.For(len(x), par.Grain, func(lo, hi int) { half.Round(p.Format, x[lo:hi]) })
}

// RoundState rounds the arrays that Keep was told of, to nearest even. Numbers beyond the
// range become infinite.
func (p *Precision) RoundState() {
	if p == nil {
		return
	}
	for _, a := range p.state {
		p.round(a)
	}
}

// StartState is RoundState for arrays that come from a checkpoint: what is beyond the range
// becomes the largest number of the format, so that a training can go on.
func (p *Precision) StartState() {
	if p == nil {
		return
	}
	for _, list := range [][]*tensor.Dense{p.state, p.stored} {
		for _, a := range list {
			p.clamp(a)
			p.round(a)
		}
	}
}
