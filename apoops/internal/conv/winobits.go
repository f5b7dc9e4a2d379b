package conv

import (
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// winoBits computes on the bits of bfloat16 what winoBlocks does in float32: y and dx are
// its results for the same numbers, rounded once, and so is dW.
type winoBits struct {
	bitsSums
	k        *winoBlocks
	w        []uint16
	expanded []float32 // w
	expand   func(lo, hi int)
}

func newWinoBits(g Geometry, x []int, outputs int) *winoBits {
	b := &winoBits{k: newWinoBlocks(g, x, outputs)}
	b.expand = func(lo, hi int) { half.Expand(half.BFloat16, b.expanded[lo:hi], b.w[lo:hi]) }
	return b
}

// weights are those of W as float32, which put gives back.
func (b *winoBits) weights(w []uint16) []float32 {
	b.w, b.expanded = w, scratch.Get[float32](len(w))
	par.For(len(w), par.Grain, b.expand)
	return b.expanded
}

func (b *winoBits) put() {
	scratch.Put(b.expanded)
	b.w, b.expanded = nil, nil
}

func (b *winoBits) x(bits []uint16) winoImages { return winoImages{bits: bits, blocked: b.k.BlockedX} }

func (b *winoBits) y(bits []uint16) winoImages { return winoImages{bits: bits, blocked: b.k.BlockedY} }

func (b *winoBits) gradient(dy, y []uint16) winoImages {
	dz := b.y(dy)
	if y != nil {
		dz.act, dz.yBits = b.k.Activation, y
	}
	return dz
}

func (b *winoBits) Forward(x, w, y []uint16) error {
	b.k.forwardOf(b.x(x), b.y(y), b.weights(w))
	b.put()
	return nil
}

func (b *winoBits) GradX(dy, y, w, dx []uint16) error {
	b.k.gradXOf(b.gradient(dy, y), b.x(dx), b.weights(w))
	b.put()
	return nil
}

func (b *winoBits) GradW(x, dy, y, dw []uint16) error {
	b.k.gradWOf(b.x(x), b.gradient(dy, y), b.room(dw))
	b.round()
	return nil
}

// bitsActivation reports whether an activation makes numbers of bfloat16 of such numbers.
func bitsActivation(a vmath.Activation) bool {
	return a == vmath.Identity || a == vmath.ReLU || a == vmath.Rectify
}
