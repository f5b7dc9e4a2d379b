package dnn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/half"
)

// lowOperands are the operands of a convolution in both forms, the same numbers.
type lowOperands struct {
	x, w, b, dy    []uint16
	fx, fw, fb, fy []float32 // fy is dy
}

func newLowOperands(s Shape, seed uint64) (o lowOperands) {
	rng := rand.New(rand.NewPCG(seed, 2))
	for _, v := range []struct {
		n      int
		bits   *[]uint16
		single *[]float32
	}{{s.N * s.image(), &o.x, &o.fx}, {s.rows() * s.Out, &o.w, &o.fw}, {s.Out, &o.b, &o.fb}, {s.N * s.output(), &o.dy, &o.fy}} {
		*v.bits, *v.single = randomBits(rng, v.n), make([]float32, v.n)
		half.Expand(half.BFloat16, *v.single, *v.bits)
	}
	return o
}

func absolute(x []float32) []float32 {
	x = slices.Clone(x)
	for i, v := range x {
		x[i] = float32(math.Abs(float64(v)))
	}
	return x
}

// within compares numbers of bfloat16 with exact sums of terms whose absolute values add
// up to size: to half a unit in the last place and the error of sums of float32.
func within(t *testing.T, what string, s Shape, got []uint16, want, size []float64, terms int) {
	t.Helper()
	for i, x := range want {
		if v := meaning(got[i]); !(math.Abs(v-x) <= unit(x)/2+off(size[i], terms)) {
			t.Fatalf("%+v: %s: element %d is %v, not %v", s, what, i, v, x)
		}
	}
}

func withinSingle(t *testing.T, what string, s Shape, got []float32, want, size []float64, terms int) {
	t.Helper()
	for i, x := range want {
		if v := float64(got[i]); !(math.Abs(v-x) <= off(size[i], terms)) {
			t.Fatalf("%+v: %s: element %d is %v, not %v", s, what, i, v, x)
		}
	}
}

// TestConvolutionOfBFloat16 compares all results with the direct sums, for several cuts.
func TestConvolutionOfBFloat16(t *testing.T) {
	lowSystem(t)
	lib := system(t)
	for _, s := range geometries {
		s := s.dense()
		o := newLowOperands(s, 1)
		d := newDirect(s)
		y, sizeY := d.forward(o.fx, o.fw, o.fb), d.forward(absolute(o.fx), absolute(o.fw), absolute(o.fb))
		dx, dw, db := d.backward(o.fx, o.fw, o.fy)
		sizeX, sizeW, sizeB := d.backward(absolute(o.fx), absolute(o.fw), absolute(o.fy))
		for _, cut := range []cut{s.cut(2), {1, s.N}, {2, (s.N + 1) / 2}} {
			if cut.images > s.N {
				continue
			}
			c, err := newConvolution(lib, s, Activation[uint16]{}, cut)
			if err != nil {
				t.Fatalf("%+v: %v", s, err)
			}
			try := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatalf("%+v, %+v: %v", s, cut, err)
				}
			}
			gotY, gotX := slices.Repeat([]uint16{0x7fff}, len(y)), slices.Repeat([]uint16{0x7fff}, len(dx))
			gotW, gotB := make([]float32, len(dw)), make([]float32, len(db))
			try(c.Forward(o.x, o.w, o.b, gotY))
			within(t, "y", s, gotY, y, sizeY, s.rows()+1)
			try(c.Backward(o.x, o.w, nil, o.dy, gotX, gotW, gotB))
			within(t, "dx", s, gotX, dx, sizeX, s.Out*s.Kernel[0]*s.Kernel[1])
			withinSingle(t, "dw", s, gotW, dw, sizeW, len(o.dy)/s.Out)
			withinSingle(t, "db", s, gotB, db, sizeB, len(o.dy)/s.Out)
			clear(gotX)
			clear(gotW)
			try(c.Backward(nil, o.w, nil, o.dy, gotX, nil, nil))
			within(t, "dx", s, gotX, dx, sizeX, s.Out*s.Kernel[0]*s.Kernel[1])
			try(c.Backward(o.x, nil, nil, o.dy, nil, gotW, nil))
			withinSingle(t, "dw", s, gotW, dw, sizeW, len(o.dy)/s.Out)
			c.Close()
		}
	}
}

// TestActivationOfBFloat16: values and gradients of a fused sign change are those of one
// that is computed apart.
func TestActivationOfBFloat16(t *testing.T) {
	lowSystem(t)
	const sign = 0x8000
	s := geometries[1]
	o := newLowOperands(s, 5)
	results := func(act Activation[uint16], dy []uint16) (y, dx []uint16, dw []float32) {
		c, err := NewConvolution(s, act)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		y, dx, dw = make([]uint16, len(o.dy)), make([]uint16, len(o.x)), make([]float32, len(o.w))
		if err := c.Forward(o.x, o.w, o.b, y); err != nil {
			t.Fatal(err)
		}
		if err := c.Backward(o.x, o.w, y, dy, dx, dw, nil); err != nil {
			t.Fatal(err)
		}
		return y, dx, dw
	}
	negated := slices.Clone(o.dy)
	for i := range negated {
		negated[i] ^= sign
	}
	y, dx, dw := results(Activation[uint16]{}, negated)
	negate := Activation[uint16]{
		Apply: func(z []uint16) {
			for i := range z {
				z[i] ^= sign
			}
		},
		Grad: func(dz, _, dy []uint16) {
			for i, v := range dy {
				dz[i] = v ^ sign
			}
		},
	}
	gotY, gotX, gotW := results(negate, o.dy)
	for i := range gotY {
		gotY[i] ^= sign
	}
	if !slices.Equal(gotY, y) || !slices.Equal(gotX, dx) || !slices.Equal(gotW, dw) {
		t.Error("other bits than without the activation")
	}
}

func TestConvolutionOfBFloat16AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	lowSystem(t)
	s := Shape{N: 32, C: 16, H: 16, W: 16, Out: 16, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}
	c, err := NewConvolution(s, Activation[uint16]{})
	if err != nil {
		t.Fatal(err)
	}
	o := newLowOperands(s, 3)
	y, dx, dw, db := make([]uint16, len(o.dy)), make([]uint16, len(o.x)), make([]float32, len(o.w)), make([]float32, s.Out)
	run := func() {
		if err := c.Forward(o.x, o.w, o.b, y); err != nil {
			t.Fatal(err)
		}
		if err := c.Backward(o.x, o.w, nil, o.dy, dx, dw, db); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 { // each core makes its own objects once
		run()
	}
	if n := testing.AllocsPerRun(50, run); n > 0.5 {
		t.Fatalf("%v allocations a call", n)
	}
	if err := c.Forward(o.x[1:], o.w, o.b, y); err == nil {
		t.Error("a short x was read")
	}
}
