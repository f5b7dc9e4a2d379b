package apoops

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// rowsProgram computes both sides of uses at a step.
type rowsProgram struct {
	vm   gorgonia.VM
	x, z gorgonia.Value
	n    int
}

func newRowsProgram(t *testing.T, g *gorgonia.ExprGraph, uses []Factors, bias bool, s RowSettings) *rowsProgram {
	t.Helper()
	var in, out []RowFactors
	for _, f := range uses {
		in, out = append(in, RowFactors{Factors: f, BiasRow: bias}), append(out, RowFactors{Factors: f, Gradients: true})
	}
	x, err := LayerRows(in, s)
	if err != nil {
		t.Fatal(err)
	}
	z, err := LayerRows(out, s)
	if err != nil {
		t.Fatal(err)
	}
	p := &rowsProgram{n: x.Shape()[0]}
	gorgonia.Read(x, &p.x)
	gorgonia.Read(z, &p.z)
	p.vm = gorgonia.NewTapeMachine(g)
	runtime.SetFinalizer(p.vm, nil)
	t.Cleanup(func() { p.vm.Close() })
	return p
}

// run gives the rows as slices of rows.
func (p *rowsProgram) run(t *testing.T) (x, z [][]float64) {
	t.Helper()
	if err := p.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	p.vm.Reset()
	split := func(v gorgonia.Value) (rows [][]float64) {
		all := floats(v)
		for i := range p.n {
			w := len(all) / p.n
			rows = append(rows, all[i*w:(i+1)*w])
		}
		return rows
	}
	return split(p.x), split(p.z)
}

// TestConvRows compares the rows of all positions with KFC's factors, and each of
// those that are drawn with a position of its image. The means over many draws are
// those over all positions.
func TestConvRows(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		for _, act := range []Activation{Identity, TanhAct, ReLUAct} {
			for _, c := range []Conv{evenConv(3, 1, 1, 1), evenConv(3, 2, 1, 2), evenConv(1, 1, 0, 1)} {
				c.Activation = act
				c = c.filled()
				c.NoBias = c.Stride[0] == 2
				checkConvRows(t, rng, []int{3, 2, 5, 6}, c, dt)
			}
		}
	}
}

func checkConvRows(t *testing.T, rng *rand.Rand, shape []int, c Conv, dt tensor.Dtype) {
	t.Helper()
	const m = 3
	oh, ow := c.OutSize(shape[2], shape[3])
	positions := oh * ow
	dim := shape[1]*c.Kernel[0]*c.Kernel[1] + c.bias()
	x, dy, y := randn(rng, shape...), randn(rng, shape[0], m, oh, ow), randn(rng, shape[0], m, oh, ow)
	tolerance := 1e-12
	if dt == tensor.Float32 {
		tolerance = 1e-5
	}
	noise := NewRandom(3)
	build := func(each int) *rowsProgram {
		g := gorgonia.NewGraph()
		f := Factors{A: inputNode(g, x, dt, "x"), S: inputNode(g, dy, dt, "dy"), Bias: !c.NoBias, Conv: &c}
		if c.Activation != Identity {
			f.Y = inputNode(g, y, dt, "y")
		}
		return newRowsProgram(t, g, []Factors{f}, !c.NoBias, RowSettings{Examples: shape[0], Positions: each, Noise: noise, Stream: 4})
	}
	rows, gradients := build(positions).run(t)
	for i := range rows {
		n, p := i/positions, i%positions
		want := patchAt(x, shape, c, n, p/ow, p%ow)
		for j := range want {
			want[j] *= math.Sqrt(float64(positions))
		}
		compare(t, "x of "+c.String(), rows[i], want[:dim], tolerance)
		s := make([]float64, m)
		for o := range s {
			at := (n*m+o)*positions + p
			s[o] = dy.Float64s()[at]
			switch v := y.Float64s()[at]; {
			case c.Activation == TanhAct:
				s[o] *= 1 - v*v
			case c.Activation == ReLUAct && v <= 0:
				s[o] = 0
			}
		}
		compare(t, "z of "+c.String(), gradients[i], s, tolerance)
	}
	const each, steps = 2, 1500
	drawn := build(each)
	counts := make([]int, len(rows))
	for step := range steps {
		noise.SetStep(int64(step))
		a, b := drawn.run(t)
		for i := range a {
			at := -1
			for p := range positions {
				if k := i/each*positions + p; equal(a[i], rows[k]) && equal(b[i], gradients[k]) {
					at = k
				}
			}
			if at < 0 {
				t.Fatalf("%v: row %d is that of no position of its image", c, i)
			}
			counts[at]++
		}
	}
	mean := float64(each*steps) / float64(positions)
	for i, n := range counts {
		if math.Abs(float64(n)-mean) > 5*math.Sqrt(mean) {
			t.Errorf("%v: position %d was drawn %d times, not about %v", c, i, n, mean)
		}
	}
}

func equal(a, b []float64) bool {
	for i, v := range a {
		if math.Abs(v-b[i]) > 1e-9 {
			return false
		}
	}
	return true
}

// TestRowsAreKFCFactors compares the moments of the rows of all positions with
// InputMoment and GradientMoment.
func TestRowsAreKFCFactors(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	c := evenConv(3, 1, 1, 1).filled()
	g := gorgonia.NewGraph()
	f := Factors{A: inputNode(g, randn(rng, 3, 2, 5, 6), tensor.Float64, "x"), S: inputNode(g, randn(rng, 3, 4, 5, 6), tensor.Float64, "s"), Bias: true, Conv: &c}
	var a, s gorgonia.Value
	gorgonia.Read(gorgonia.Must(InputMoment(f, nil)), &a)
	gorgonia.Read(gorgonia.Must(GradientMoment(f, nil)), &s)
	p := newRowsProgram(t, g, []Factors{f}, true, RowSettings{Examples: 3, Positions: 30})
	x, z := p.run(t)
	moment := func(rows [][]float64, scale float64) []float64 {
		w := len(rows[0])
		m := make([]float64, w*w)
		for _, r := range rows {
			for i, u := range r {
				for j, v := range r {
					m[i*w+j] += scale * u * v / float64(len(rows))
				}
			}
		}
		return m
	}
	compare(t, "Ā", moment(x, 1), floats(a), 1e-11)
	compare(t, "Ḡ", moment(z, 9), floats(s), 1e-11) // of the mean loss s is a third of z
}

// TestDenseRows: layers that see an example once give their inputs and gradients as
// they are; of sequences some rows are drawn, of two uses the rows follow one another.
// The sum over all rows of x·xᵀ ⊗ z·zᵀ stays.
func TestDenseRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	g := gorgonia.NewGraph()
	values := map[string]*tensor.Dense{"a": randn(rng, 4, 2), "s": randn(rng, 4, 3), "long": randn(rng, 8, 2), "longS": randn(rng, 8, 3), "odd": randn(rng, 6, 2), "oddS": randn(rng, 6, 3)}
	factors := func(a, s string, bias bool) Factors {
		find := func(name string) *gorgonia.Node {
			if n := g.ByName(name); len(n) > 0 {
				return n[0]
			}
			return inputNode(g, values[name], tensor.Float64, name)
		}
		return Factors{A: find(a), S: find(s), Bias: bias}
	}
	plain := newRowsProgram(t, g, []Factors{factors("a", "s", true)}, true, RowSettings{Examples: 4})
	x, z := plain.run(t)
	for i := range 4 {
		compare(t, "x", x[i], append(append([]float64(nil), values["a"].Float64s()[2*i:2*i+2]...), 1), 0)
		compare(t, "z", z[i], values["s"].Float64s()[3*i:3*i+3], 0)
	}
	noise := NewRandom(2)
	uses := []Factors{factors("a", "s", true), factors("long", "longS", false), factors("odd", "oddS", true)}
	all := newRowsProgram(t, g, uses, true, RowSettings{Examples: 4, Positions: 2})
	if all.n != 18 {
		t.Fatalf("%d rows", all.n)
	}
	want := make([]float64, 81)
	for _, f := range uses {
		a, s := values[f.A.Name()].Float64s(), values[f.S.Name()].Float64s()
		for r := range len(a) / 2 {
			bias := 0.0
			if f.Bias {
				bias = 1
			}
			addOuter(want, []float64{a[2*r], a[2*r+1], bias}, s[3*r:3*r+3], 0.25)
		}
	}
	got := make([]float64, 81)
	x, z = all.run(t)
	for i := range x {
		addOuter(got, x[i], z[i], 1/float64(len(x)))
	}
	compare(t, "all rows", got, want, 1e-12)
	drawn := newRowsProgram(t, g, uses, true, RowSettings{Examples: 4, Positions: 1, Noise: noise})
	if drawn.n != 14 {
		t.Fatalf("%d rows", drawn.n)
	}
	const steps = 4000
	got = make([]float64, 81)
	for step := range steps {
		noise.SetStep(int64(step))
		x, z = drawn.run(t)
		for i := range x {
			addOuter(got, x[i], z[i], 1/float64(len(x)*steps))
		}
	}
	compare(t, "drawn rows", got, want, 0.05)
	if _, err := LayerRows([]RowFactors{{Factors: uses[1]}}, RowSettings{Examples: 4}); err == nil {
		t.Error("rows are drawn without noise")
	}
	if _, err := LayerRows([]RowFactors{{Factors: factors("a", "longS", true)}}, RowSettings{Examples: 4}); err == nil {
		t.Error("inputs and gradients of unlike numbers of rows")
	}
}

// addOuter adds scale·x·xᵀ ⊗ z·zᵀ to f.
func addOuter(f, x, z []float64, scale float64) {
	g := make([]float64, 0, len(x)*len(z))
	for _, u := range x {
		for _, v := range z {
			g = append(g, u*v)
		}
	}
	for i, u := range g {
		for j, v := range g {
			f[i*len(g)+j] += scale * u * v
		}
	}
}
