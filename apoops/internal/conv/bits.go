package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Bits computes one convolution or one of its gradients on the bits of bfloat16, always
// for the same shapes, as Engine does in float32: sums are of float32, results rounded
// once. The zero value is to be compiled.
type Bits struct {
	tried bool
	conv  bitsEngine // nil where there is none
}

// bitsEngine is winoBits, oneDNNBits or bitsPositions.
type bitsEngine interface {
	Forward(x, w, y []uint16) error
	GradX(dy, y, w, dx []uint16) error
	GradW(x, dy, y, dw []uint16) error
}

// Compile makes the convolution in its first call. It is false where the processor or
// oneDNN have none, and for activations that make other numbers than those of bfloat16
// of such numbers: theirs would be rounded twice.
func (b *Bits) Compile(g Geometry, x []int, outputs int) bool {
	if b.tried {
		return b.conv != nil
	}
	b.tried = true
	if !bitsActivation(g.Activation) {
		return false
	}
	if byVectors(g, x, outputs) {
		b.conv = newWinoBits(g, x, outputs)
		return true
	}
	conv, err := openOneDNN(g, x, outputs, dnn.Activation[uint16]{
		Apply: func(z []uint16) { forwardBits(g.Activation, z) },
		Grad:  func(dz, y, dy []uint16) { backwardBits(g.Activation, dz, y, dy) },
	})
	if err != nil {
		return false
	}
	b.conv = newOneDNNBits(conv)
	if byBitsPositions(g, x, outputs) {
		if k, err := newBitsPositions(conv, g, x, outputs); err == nil {
			b.conv = k
		}
	}
	return true
}

// Forward sets y = act(conv(x, W)).
func (b *Bits) Forward(x, w, y []uint16) error { return b.conv.Forward(x, w, y) }

// GradX sets dx; y is as in Engine.
func (b *Bits) GradX(dy, y, w, dx []uint16) error { return b.conv.GradX(dy, y, w, dx) }

// GradW sets dW; y is as in Engine.
func (b *Bits) GradW(x, dy, y, dw []uint16) error { return b.conv.GradW(x, dy, y, dw) }

// oneDNNBits is oneDNN, which rounds dW too.
type oneDNNBits struct {
	*oneDNN[uint16]
	bitsSums
}

func newOneDNNBits(k *oneDNN[uint16]) *oneDNNBits { return &oneDNNBits{oneDNN: k} }

func (k *oneDNNBits) GradW(x, dy, y, dw []uint16) error {
	err := k.oneDNN.GradW(x, dy, y, k.room(dw))
	k.round()
	return err
}

// bitsSums has the sums of a dW that is there in float32 as a whole before it is rounded.
type bitsSums struct {
	sums []float32
	dw   []uint16
	pack func(lo, hi int)
}

// room is where to put the sums of dw.
func (s *bitsSums) room(dw []uint16) []float32 {
	if s.pack == nil {
		s.pack = func(lo, hi int) { half.Pack(half.BFloat16, s.dw[lo:hi], s.sums[lo:hi]) }
	}
	s.dw, s.sums = dw, scratch.Get[float32](len(dw))
	return s.sums
}

// round rounds them, and gives the room back.
func (s *bitsSums) round() {
	par.For(len(s.dw), par.Grain, s.pack)
	scratch.Put(s.sums)
	s.dw, s.sums = nil, nil
}

// expanded is the number of elements that are in float32 at once.
const expanded = 2048

// forwardBits is vmath.Forward.
func forwardBits(act vmath.Activation, z []uint16) {
	buf := scratch.Get[float32](expanded)
	for lo := 0; lo < len(z); lo += expanded {
		part := z[lo:min(lo+expanded, len(z))]
		x := buf[:len(part)]
		half.Expand(half.BFloat16, x, part)
		vmath.Forward(act, x)
		half.Pack(half.BFloat16, part, x)
	}
	scratch.Put(buf)
}

// backwardBits is vmath.Backward.
func backwardBits(act vmath.Activation, dz, y, dy []uint16) {
	buf := scratch.Get[float32](3 * expanded)
	for lo := 0; lo < len(dz); lo += expanded {
		hi := min(lo+expanded, len(dz))
		n := hi - lo
		x, a, d := buf[:n], buf[expanded:][:n], buf[2*expanded:][:n]
		half.Expand(half.BFloat16, a, y[lo:hi])
		half.Expand(half.BFloat16, d, dy[lo:hi])
		vmath.Backward(act, x, a, d)
		half.Pack(half.BFloat16, dz[lo:hi], x)
	}
	scratch.Put(buf)
}
