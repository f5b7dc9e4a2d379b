package dnn

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// system is the machine's library, or skips the test where there is none.
func system(t testing.TB) *library {
	t.Helper()
	lib, err := load("auto")
	if err != nil {
		t.Skip("no oneDNN on this machine: ", err)
	}
	return lib
}

// operands are random x, w, b, dy and room for the results.
type operands struct{ x, w, b, dy, y, dx, dw, db []float32 }

func newOperands(s Shape, seed uint64) operands {
	rng := rand.New(rand.NewPCG(seed, 1))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	n := s.N * s.output()
	return operands{x: random(s.N * s.image()), w: random(s.rows() * s.Out), b: random(s.Out), dy: random(n),
		y: make([]float32, n), dx: make([]float32, s.N*s.image()), dw: make([]float32, s.rows()*s.Out), db: make([]float32, s.Out)}
}

// near compares with the largest value as the scale.
func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	scale := 1.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i, v := range want {
		if !(math.Abs(float64(got[i])-v) <= 3e-6*scale) {
			t.Fatalf("%s: element %d is %v, want %v (of at most %v)", what, i, got[i], v, scale)
		}
	}
}

var geometries = []Shape{
	{N: 4, C: 3, H: 8, W: 8, Out: 16, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}},
	{N: 5, C: 16, H: 8, W: 6, Out: 32, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}},
	{N: 3, C: 16, H: 9, W: 8, Out: 24, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}},
	{N: 4, C: 16, H: 8, W: 8, Out: 32, Kernel: [2]int{1, 1}, Stride: [2]int{2, 2}},
	{N: 4, C: 32, H: 5, W: 5, Out: 8, Kernel: [2]int{1, 1}},
	{N: 3, C: 1, H: 14, W: 14, Out: 6, Kernel: [2]int{5, 5}, Pad: [2]int{2, 2}},
	{N: 7, C: 6, H: 14, W: 14, Out: 16, Kernel: [2]int{5, 5}},
	{N: 2, C: 3, H: 35, W: 33, Out: 8, Kernel: [2]int{11, 11}, Stride: [2]int{4, 4}, Pad: [2]int{2, 2}},
	{N: 3, C: 8, H: 11, W: 12, Out: 8, Kernel: [2]int{3, 3}, Pad: [2]int{2, 2}, Dilation: [2]int{2, 2}},
	{N: 2, C: 5, H: 9, W: 10, Out: 7, Kernel: [2]int{3, 2}, Stride: [2]int{1, 2}, Pad: [2]int{0, 1}, Dilation: [2]int{2, 1}},
	{N: 1, C: 1, H: 1, W: 1, Out: 1, Kernel: [2]int{1, 1}},
	{N: 3, C: 2, H: 3, W: 3, Out: 1, Kernel: [2]int{3, 3}},
	{N: 2, C: 64, H: 4, W: 4, Out: 64, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}},
	{N: 2, C: 7, H: 6, W: 6, Out: 70, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}},
}

// TestEqualsDirectSum compares all results with the direct sums, for the cut by
// the shape and for others, with pieces that divide the batch and that do not.
func TestEqualsDirectSum(t *testing.T) {
	lib := system(t)
	for _, s := range geometries {
		s := s.dense()
		o := newOperands(s, 1)
		d := newDirect(s)
		y, plain := d.forward(o.x, o.w, o.b), d.forward(o.x, o.w, nil)
		dx, dw, db := d.backward(o.x, o.w, o.dy)
		for _, cut := range []cut{s.cut(4), {1, s.N}, {2, 1}, {2, (s.N + 1) / 2}, {3, 1}} {
			if cut.images > s.N {
				continue
			}
			c, err := newConvolution[float32](lib, s, Activation[float32]{}, cut)
			if err != nil {
				t.Fatal(err)
			}
			try := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatalf("%+v, %+v: %v", s, cut, err)
				}
			}
			try(c.Forward(o.x, o.w, o.b, o.y))
			near(t, "y", o.y, y)
			try(c.Forward(o.x, o.w, nil, o.y))
			near(t, "y without bias", o.y, plain)
			try(c.Backward(nil, o.w, nil, o.dy, o.dx, nil, nil))
			near(t, "dx", o.dx, dx)
			try(c.Backward(o.x, nil, nil, o.dy, nil, o.dw, nil))
			near(t, "dw", o.dw, dw)
			clear(o.dx)
			clear(o.dw)
			try(c.Backward(o.x, o.w, nil, o.dy, o.dx, o.dw, o.db))
			near(t, "dx", o.dx, dx)
			near(t, "dw", o.dw, dw)
			near(t, "db", o.db, db)
			c.Close()
		}
	}
}

// TestActivation: values and gradients of a fused square are those of one that is
// computed apart, and a NaN stays.
func TestActivation(t *testing.T) {
	lib := system(t)
	square := Activation[float32]{
		Apply: func(z []float32) {
			for i, v := range z {
				z[i] = v * v
			}
		},
		Grad: func(dz, y, dy []float32) {
			for i, v := range y {
				dz[i] = v * dy[i] // of no function, but known
			}
		},
	}
	s := geometries[1].dense()
	o := newOperands(s, 5)
	d := newDirect(s)
	want := d.forward(o.x, o.w, o.b)
	dz := make([]float32, len(want))
	for i, v := range want {
		want[i] = v * v
		dz[i] = float32(want[i]) * o.dy[i]
	}
	dx, dw, db := d.backward(o.x, o.w, dz)
	c, err := newConvolution[float32](lib, s, square, cut{2, 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Forward(o.x, o.w, o.b, o.y); err != nil {
		t.Fatal(err)
	}
	near(t, "y", o.y, want)
	if err := c.Backward(o.x, o.w, o.y, o.dy, o.dx, o.dw, o.db); err != nil {
		t.Fatal(err)
	}
	near(t, "dx", o.dx, dx)
	near(t, "dw", o.dw, dw)
	near(t, "db", o.db, db)
	o.w[3] = float32(math.NaN())
	if err := c.Forward(o.x, o.w, o.b, o.y); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(o.y, func(v float32) bool { return v != v }) {
		t.Error("a NaN in w does not show in y")
	}
}

func TestSameBitsAtEveryRun(t *testing.T) {
	system(t)
	s := Shape{N: 37, C: 16, H: 32, W: 32, Out: 32, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}
	o := newOperands(s, 2)
	var first operands
	for run := range 4 {
		c, err := NewConvolution[float32](s, Activation[float32]{})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			clear(o.y)
			if err := c.Forward(o.x, o.w, o.b, o.y); err != nil {
				t.Fatal(err)
			}
			if err := c.Backward(o.x, o.w, nil, o.dy, o.dx, o.dw, o.db); err != nil {
				t.Fatal(err)
			}
			if run == 0 {
				first = operands{y: slices.Clone(o.y), dx: slices.Clone(o.dx), dw: slices.Clone(o.dw), db: slices.Clone(o.db)}
			}
			if !slices.Equal(first.y, o.y) || !slices.Equal(first.dx, o.dx) || !slices.Equal(first.dw, o.dw) || !slices.Equal(first.db, o.db) {
				t.Fatal("another run gave other bits")
			}
		}
		c.Close()
	}
}

func TestAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	system(t)
	s := Shape{N: 32, C: 16, H: 16, W: 16, Out: 16, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}
	c, err := NewConvolution[float32](s, Activation[float32]{})
	if err != nil {
		t.Fatal(err)
	}
	o := newOperands(s, 3)
	run := func() {
		if err := c.Forward(o.x, o.w, o.b, o.y); err != nil {
			t.Fatal(err)
		}
		if err := c.Backward(o.x, o.w, nil, o.dy, o.dx, o.dw, o.db); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 { // each core makes its own objects once
		run()
	}
	if n := testing.AllocsPerRun(50, run); n > 0.5 {
		t.Fatalf("%v allocations a call", n)
	}
}

func TestRefuses(t *testing.T) {
	system(t)
	good := Shape{N: 2, C: 3, H: 8, W: 8, Out: 4, Kernel: [2]int{3, 3}}
	for name, change := range map[string]func(*Shape){
		"N": func(s *Shape) { s.N = 0 }, "C": func(s *Shape) { s.C = -1 }, "Kernel": func(s *Shape) { s.Kernel[1] = 0 },
		"Pad": func(s *Shape) { s.Pad[0] = -1 }, "larger": func(s *Shape) { s.Dilation = [2]int{4, 4} },
	} {
		s := good
		change(&s)
		if _, err := NewConvolution[float32](s, Activation[float32]{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := NewConvolution[float32](good, Activation[float32]{})
	if err != nil {
		t.Fatal(err)
	}
	o := newOperands(good, 4)
	if err := c.Forward(o.x, o.w[1:], o.b, o.y); err == nil || !strings.Contains(err.Error(), "w has") {
		t.Errorf("short w: %v", err)
	}
	c.Close()
	c.Close()
	if err := c.Forward(o.x, o.w, o.b, o.y); err == nil {
		t.Error("a closed convolution computed")
	}
}

func TestEnvironmentChoosesLibrary(t *testing.T) {
	for _, bad := range []string{"off", "nosuch", "/nowhere/libdnnl.so"} {
		if _, err := load(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s=%s: %v", Env, bad, err)
		}
	}
	if _, err := open("libc.so.6"); err == nil {
		t.Error("libc is no oneDNN")
	}
	lib := system(t)
	if !strings.HasPrefix(lib.name, "onednn 2.") {
		t.Errorf("name %q", lib.name)
	}
}
