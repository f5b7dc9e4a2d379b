package curvature

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

var (
	_ rule.LineSearch = (*blockwise[float32])(nil)
	_ rule.LineSearch = (*blockwise[float64])(nil)
)

// CheckLineSearch refuses a KL clip.
func (b *blockwise[T]) CheckLineSearch() error {
	if b.clip > 0 {
		return errors.New("a KL clip takes back what a larger rate adds: set KLClip to 0")
	}
	return nil
}

// SearchDirection is e = P(g)/(1-μ²), with P as the step left it. Weight decay, which does
// not depend on the gradient, is left out.
func (b *blockwise[T]) SearchDirection(rule.Input) ([]*tensor.Dense, error) {
	if b.e == nil {
		b.e = array.ZerosLike(b.params)
	}
	for _, k := range b.blocks {
		rest := k.d
		for _, i := range k.Params {
			e := apoops.Elements[T](b.e[i])
			copy(e, rest[:len(e)])
			b.vec.Average(e, e, T(rule.NoiseGain(float64(b.momentum))), 0)
			rest = rest[len(e):]
		}
	}
	return b.e, nil
}

func (b *blockwise[T]) Correction(int, int) float64 { return 1 }
