package conv

import (
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// winoBits computes on the bits of bfloat16 what winoBlocks does in float32: y and dx are
// its results for the same numbers, rounded once.
type winoBits struct {
	k      *winoBlocks
	w      []uint16
	expand func(lo, hi int)
}

func newWinoBits(g Geometry, x []int, outputs int) *winoBits {
	b := &winoBits{k: newWinoBlocks(g, x, outputs)}
	b.expand = func(lo, hi int) { half.Expand(half.BFloat16, b.k.expanded[lo:hi], b.w[lo:hi]) }
	return b
}

// weights are those of W as float32, which put gives back.
func (b *winoBits) weights(w []uint16) []float32 {
	b.w, b.k.expanded = w, scratch.Get[float32](len(w))
	par.For(len(w), par.Grain, b.expand)
	return b.k.expanded
}

func (b *winoBits) put() {
	scratch.Put(b.k.expanded)
	b.w, b.k.expanded = nil, nil
}

func (b *winoBits) images(x []uint16, blocked bool) winoImages {
	return winoImages{bits: x, blocked: blocked}
}

func (b *winoBits) gradient(dy, y []uint16) winoImages {
	if y == nil {
		return b.images(dy, b.k.BlockedY)
	}
	return winoImages{bits: dy, blocked: b.k.BlockedY, act: b.k.Activation, yBits: y}
}

func (b *winoBits) Forward(x, w, y []uint16) error {
	b.k.forwardOf(b.images(x, b.k.BlockedX), b.images(y, b.k.BlockedY), b.weights(w))
	b.put()
	return nil
}

func (b *winoBits) GradX(dy, y, w, dx []uint16) error {
	b.k.gradXOf(b.gradient(dy, y), b.images(dx, b.k.BlockedX), b.weights(w))
	b.put()
	return nil
}

func (b *winoBits) GradW(x, dy, y []uint16, dw []float32) error {
	b.k.gradWOf(b.images(x, b.k.BlockedX), b.gradient(dy, y), dw)
	return nil
}

// bitsActivation reports whether an activation makes numbers of bfloat16 of such numbers.
func bitsActivation(a vmath.Activation) bool {
	return a == vmath.Identity || a == vmath.ReLU || a == vmath.Rectify
}
