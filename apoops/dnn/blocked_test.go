package dnn

import (
	"fmt"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/half"
)

// toBlocks copies n images of c channels of s elements to blocks of channels.
func toBlocks[E any](x []E, n, c, s int) []E {
	y := make([]E, len(x))
	for i := range x {
		image, channel, at := i/(c*s), i/s%c, i%s
		y[((image*c/Block+channel/Block)*s+at)*Block+channel%Block] = x[i]
	}
	return y
}

// TestBlocked: operands and results in blocks of channels have the bits of plain ones, with an
// activation too.
func TestBlocked(t *testing.T) {
	system(t)
	for _, s := range append(slices.Clone(geometries),
		Shape{N: 5, C: 16, H: 7, W: 6, Out: 48, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}},
		Shape{N: 9, C: 3, H: 32, W: 32, Out: 64, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}},
		Shape{N: 9, C: 64, H: 32, W: 32, Out: 128, Kernel: [2]int{1, 1}, Stride: [2]int{2, 2}},
		Shape{N: 9, C: 64, H: 16, W: 16, Out: 10, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}},
	) {
		for _, blocked := range [][2]bool{{true, false}, {false, true}, {true, true}} {
			if blocked[0] && s.C%Block != 0 || blocked[1] && s.Out%Block != 0 {
				continue
			}
			checkBlocked(t, s, blocked, func(x float32) float32 { return x })
			if BFloat16() == nil {
				checkBlocked(t, s, blocked, func(x float32) uint16 { return half.ToBits(half.BFloat16, float64(x)) })
			}
		}
	}
}

func checkBlocked[E Element](t *testing.T, s Shape, blocked [2]bool, element func(float32) E) {
	t.Helper()
	o := newOperands(s, 3)
	convert := func(x []float32) []E {
		all := make([]E, len(x))
		for i, v := range x {
			all[i] = element(v)
		}
		return all
	}
	x, w, bias, dy := convert(o.x), convert(o.w), convert(o.b), convert(o.dy)
	oh, ow := s.OutSize()
	same := func(z []E) []E { return z }
	inX, inY := same, same
	if blocked[0] {
		inX = func(z []E) []E { return toBlocks(z, s.N, s.C, s.H*s.W) }
	}
	if blocked[1] {
		inY = func(z []E) []E { return toBlocks(z, s.N, s.Out, oh*ow) }
	}
	zero := func(z []E) {
		for i := range z {
			if i%3 == 0 {
				z[i] = 0
			}
		}
	}
	act := Activation[E]{
		Apply: func(z []E) {
			for i := range z {
				z[i] = max(z[i], z[i]+1)
			}
		},
		Grad: func(dz, y, dy []E) {
			copy(dz, dy)
			for i, v := range y {
				if v == 0 {
					dz[i] = 0
				}
			}
		},
	}
	results := func(s Shape, inX, inY func([]E) []E) (y, dx []E, dw, db []float32) {
		c, err := NewConvolution(s, act)
		if err != nil {
			return nil, nil, nil, nil // such as one that has no kernel for bfloat16
		}
		defer c.Close()
		y, dx = make([]E, len(dy)), make([]E, len(x))
		dw, db = make([]float32, len(w)), make([]float32, s.Out)
		gate := slices.Clone(dy)
		zero(gate)
		for _, err := range []error{c.Forward(inX(x), w, bias, y), c.Backward(inX(x), w, inY(gate), inY(dy), dx, dw, db)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return y, dx, dw, db
	}
	y, dx, dw, db := results(s, same, same)
	if y == nil && low[E]() {
		return
	}
	b := s
	b.BlockedX, b.BlockedY = blocked[0], blocked[1]
	y2, dx2, dw2, db2 := results(b, inX, inY)
	name := fmt.Sprintf("%T, %+v", dy[0], b)
	if !slices.Equal(y2, inY(y)) || !slices.Equal(dx2, inX(dx)) {
		t.Fatalf("%s: y or dx has other bits", name)
	}
	if !slices.Equal(dw2, dw) || !slices.Equal(db2, db) {
		t.Fatalf("%s: dw or db has other bits", name)
	}
}

func TestBlockedChannels(t *testing.T) {
	system(t)
	s := Shape{N: 1, C: 8, H: 4, W: 4, Out: 16, Kernel: [2]int{3, 3}, BlockedX: true}
	if _, err := NewConvolution(s, Activation[float32]{}); err == nil {
		t.Fatal("blocks of 16 channels of 8 are no error")
	}
}
