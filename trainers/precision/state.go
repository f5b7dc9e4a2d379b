package precision

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/par"
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
	kinds
)

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
	if p != nil && p.State[k] {
		p.state = append(p.state, arrays...)
	}
}

// RoundState rounds the arrays that Keep was told of, to nearest even. Numbers beyond the
// range become infinite.
func (p *Precision) RoundState() {
	if p == nil {
		return
	}
	for _, a := range p.state {
		x := apoops.Elements[float32](a)
		par.For(len(x), par.Grain, func(lo, hi int) { half.Round(p.Format, x[lo:hi]) })
	}
}

// StartState is RoundState for arrays that come from a checkpoint: what is beyond the range
// becomes the largest number of the format, so that a training can go on.
func (p *Precision) StartState() {
	if p == nil {
		return
	}
	most := float32(p.Format.Max())
	for _, a := range p.state {
		for i, v := range apoops.Elements[float32](a) {
			if !math.IsInf(float64(v), 0) {
				apoops.Elements[float32](a)[i] = min(max(v, -most), most)
			}
		}
	}
	p.RoundState()
}
