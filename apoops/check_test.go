package apoops

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// opTest is one op under test: build makes the node of the named inputs; the
// gradient of <c, output> for a random c is compared with central differences.
type opTest struct {
	name   string
	build  func(in gorgonia.Nodes) (*gorgonia.Node, error)
	inputs []*tensor.Dense // float64 or tensor.Int
	wrt    []int           // inputs whose gradient is checked
	want   func(in [][]float64) []float64
	tol    float64 // of the gradient in float64; 0 means 1e-6
}

// inputNode makes an input bound to a value of the given dtype.
func inputNode(g *gorgonia.ExprGraph, v *tensor.Dense, dt tensor.Dtype, name string) *gorgonia.Node {
	if v.Dtype() == tensor.Int {
		return gorgonia.NewTensor(g, tensor.Int, v.Dims(), gorgonia.WithShape(v.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(v.Clone().(*tensor.Dense)))
	}
	if v.IsScalar() {
		x := v.ScalarValue().(float64)
		if dt == tensor.Float32 {
			return gorgonia.NewScalar(g, dt, gorgonia.WithName(name), gorgonia.WithValue(float32(x)))
		}
		return gorgonia.NewScalar(g, dt, gorgonia.WithName(name), gorgonia.WithValue(x))
	}
	return gorgonia.NewTensor(g, dt, v.Dims(), gorgonia.WithShape(v.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(convert(v, dt)))
}

func convert(v *tensor.Dense, dt tensor.Dtype) *tensor.Dense {
	if dt == tensor.Float64 {
		return v.Clone().(*tensor.Dense)
	}
	data := make([]float32, v.DataSize())
	for i, x := range v.Float64s() {
		data[i] = float32(x)
	}
	return tensor.New(tensor.WithShape(v.Shape().Clone()...), tensor.WithBacking(data))
}

// floats returns a value as float64s.
func floats(v gorgonia.Value) []float64 {
	switch v := v.(type) {
	case *gorgonia.F32:
		return []float64{float64(*v)}
	case *gorgonia.F64:
		return []float64{float64(*v)}
	case *tensor.Dense:
		if v.Dtype() == tensor.Float32 {
			out := make([]float64, v.DataSize())
			for i, x := range v.Float32s() {
				out[i] = float64(x)
			}
			return out
		}
		return append([]float64(nil), v.Float64s()...)
	}
	return nil
}

// evaluation is an op in a graph of its own.
type evaluation struct {
	name  string
	in    gorgonia.Nodes
	vm    gorgonia.VM
	value gorgonia.Value
	d     gorgonia.Nodes
}

// open builds the graph of the op and, where asked, of the gradients of
// <c, output>.
func (tc opTest) open(t *testing.T, inputs []*tensor.Dense, dt tensor.Dtype, c *tensor.Dense, grads bool) *evaluation {
	t.Helper()
	g := gorgonia.NewGraph()
	e := &evaluation{name: tc.name, in: make(gorgonia.Nodes, len(inputs))}
	for i, v := range inputs {
		e.in[i] = inputNode(g, v, dt, string(rune('a'+i)))
	}
	y, err := tc.build(e.in)
	if err != nil {
		t.Fatalf("%s: %v", tc.name, err)
	}
	gorgonia.Read(y, &e.value)
	cost := y
	if !y.IsScalar() {
		cn := inputNode(g, c, dt, "weights")
		cost = gorgonia.Must(gorgonia.HadamardProd(y, cn))
		for range y.Dims() {
			cost = gorgonia.Must(gorgonia.Sum(cost, 0))
		}
	}
	if grads {
		var wrt gorgonia.Nodes
		for _, i := range tc.wrt {
			wrt = append(wrt, e.in[i])
		}
		if e.d, err = gorgonia.Grad(cost, wrt...); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
	}
	e.vm = gorgonia.NewTapeMachine(g)
	runtime.SetFinalizer(e.vm, nil)
	t.Cleanup(func() { e.vm.Close() })
	return e
}

// run computes the value and the gradients.
func (e *evaluation) run(t *testing.T) (out []float64, d [][]float64) {
	t.Helper()
	if err := e.vm.RunAll(); err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	out = floats(e.value)
	for _, n := range e.d {
		d = append(d, floats(n.Value()))
	}
	e.vm.Reset()
	return out, d
}

// set changes element k of input i, which is of float64.
func (e *evaluation) set(i, k int, x float64) {
	switch v := e.in[i].Value().(type) {
	case *gorgonia.F64:
		*v = gorgonia.F64(x)
	case *tensor.Dense:
		v.Float64s()[k] = x
	}
}

// evaluate runs the op in a fresh graph and returns its value and, where asked,
// the gradients of <c, output>.
func (tc opTest) evaluate(t *testing.T, inputs []*tensor.Dense, dt tensor.Dtype, c *tensor.Dense, grads bool) (out []float64, d [][]float64) {
	t.Helper()
	e := tc.open(t, inputs, dt, c, grads)
	e.run(t)
	return e.run(t) // the second run must not see the first one's buffers
}

func (tc opTest) run(t *testing.T) {
	t.Helper()
	raw := make([][]float64, len(tc.inputs))
	for i, v := range tc.inputs {
		if v.Dtype() == tensor.Int {
			for _, x := range v.Ints() {
				raw[i] = append(raw[i], float64(x))
			}
		} else {
			raw[i] = floats(v)
			if v.IsScalar() {
				raw[i] = []float64{v.ScalarValue().(float64)}
			}
		}
	}
	shape := tc.shape(t)
	c := randn(rand.New(rand.NewPCG(9, 9)), shape...)
	out, d := tc.evaluate(t, tc.inputs, tensor.Float64, c, len(tc.wrt) > 0)
	out32, d32 := tc.evaluate(t, tc.inputs, tensor.Float32, c, len(tc.wrt) > 0)
	if tc.want != nil {
		compare(t, tc.name+" value", out, tc.want(raw), 1e-12)
		compare(t, tc.name+" float32 value", out32, tc.want(raw), 2e-5)
	}
	tol := tc.tol
	if tol == 0 {
		tol = 1e-6
	}
	weigh := func(out []float64) float64 {
		if len(out) == 1 && len(shape) == 0 {
			return out[0]
		}
		var s float64
		for i, v := range out {
			s += v * c.Float64s()[i]
		}
		return s
	}
	differences := tc.open(t, tc.inputs, tensor.Float64, c, false)
	for j, i := range tc.wrt {
		numeric := make([]float64, len(raw[i]))
		for k, x := range raw[i] {
			const h = 1e-5
			at := func(x float64) float64 {
				differences.set(i, k, x)
				o, _ := differences.run(t)
				return weigh(o)
			}
			numeric[k] = (at(x+h) - at(x-h)) / (2 * h)
			differences.set(i, k, x)
		}
		compare(t, tc.name+" gradient", d[j], numeric, tol)
		compare(t, tc.name+" float32 gradient", d32[j], numeric, 2e-4)
	}
}

// shape is the shape of the op's result.
func (tc opTest) shape(t *testing.T) tensor.Shape {
	t.Helper()
	g := gorgonia.NewGraph()
	in := make(gorgonia.Nodes, len(tc.inputs))
	for i, v := range tc.inputs {
		in[i] = inputNode(g, v, tensor.Float64, string(rune('a'+i)))
	}
	y, err := tc.build(in)
	if err != nil {
		t.Fatalf("%s: %v", tc.name, err)
	}
	return y.Shape()
}

// compare checks |got-want| ≤ tol·(largest |want| + 1e-3) element by element.
func compare(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	scale := 1e-3
	for _, w := range want {
		if !math.IsInf(w, 0) {
			scale = max(scale, math.Abs(w))
		}
	}
	for i := range want {
		if math.IsNaN(got[i]) != math.IsNaN(want[i]) || math.Abs(got[i]-want[i]) > tol*scale {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func randn(rng *rand.Rand, shape ...int) *tensor.Dense {
	if len(shape) == 0 {
		return tensor.New(tensor.FromScalar(rng.NormFloat64()))
	}
	data := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range data {
		data[i] = rng.NormFloat64()
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}
