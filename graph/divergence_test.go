package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

var divergences = []Divergence{CategoricalKL, CategoricalReverseKL, BernoulliKL, BernoulliReverseKL, HalfSquared}

// TestProbesHaveTheHessian sums q·qᵀ over all patterns of signs, which is E qqᵀ without
// error, and compares with the Hessian of the divergence by differences.
func TestProbesHaveTheHessian(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for _, d := range divergences {
		for _, shape := range [][]int{{2, 3}, {2, 1, 2}, {3, 2}, {1, 1}} {
			old := random(rng, 1.5, shape...)
			checkProbe(t, d, old)
		}
		checkProbe(t, d, tensor.New(tensor.FromScalar(0.3)))
	}
}

func checkProbe(t *testing.T, d Divergence, old *tensor.Dense) {
	t.Helper()
	name := fmt.Sprintf("%s of %v", d.Name, old.Shape())
	n := old.Shape().TotalSize()
	q := drawer(t, d, old)
	patterns := make(map[string][]float64)
	for step := int64(0); len(patterns) < 1<<n && step < 5000; step++ {
		v := q(step)
		key := ""
		for _, x := range v {
			key += fmt.Sprintf("%.9g ", x)
		}
		patterns[key] = v
	}
	// Softmax of one class has no direction at all.
	if len(patterns) != 1<<n && !(len(patterns) == 1 && old.Shape().TotalSize() == 1) {
		t.Fatalf("%s: %d patterns of %d signs", name, len(patterns), n)
	}
	got := make([]float64, n*n)
	for _, v := range patterns {
		for i := range n {
			for j := range n {
				got[i*n+j] += v[i] * v[j] / float64(len(patterns))
			}
		}
	}
	want := hessian(t, d, old)
	for i := range want {
		if math.Abs(got[i]-want[i]) > 2e-6 {
			t.Fatalf("%s: element %d of E qqᵀ is %v, of the Hessian %v", name, i, got[i], want[i])
		}
	}
}

// drawer gives q at a step.
func drawer(t *testing.T, d Divergence, y *tensor.Dense) func(step int64) []float64 {
	t.Helper()
	g, noise := gorgonia.NewGraph(), apoops.NewRandom(7)
	q, err := d.Probe(leafOf(g, y, "y"), nil, noise)
	if err != nil {
		t.Fatal(err)
	}
	var value gorgonia.Value
	gorgonia.Read(q, &value)
	vm := gorgonia.NewTapeMachine(g)
	t.Cleanup(func() { vm.Close() })
	return func(step int64) []float64 {
		noise.SetStep(step)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
		if x, err := ScalarValue(value); err == nil {
			return []float64{x}
		}
		return append([]float64(nil), value.Data().([]float64)...)
	}
}

func leafOf(g *gorgonia.ExprGraph, v *tensor.Dense, name string) *gorgonia.Node {
	if v.Shape().IsScalar() {
		return gorgonia.NewScalar(g, v.Dtype(), gorgonia.WithName(name), gorgonia.WithValue(v.ScalarValue()))
	}
	return gorgonia.NewTensor(g, v.Dtype(), v.Dims(), gorgonia.WithShape(v.Shape()...), gorgonia.WithName(name), gorgonia.WithValue(v))
}

// hessian is that of d.Build(old, moved) by moved at old, by differences of the value.
func hessian(t *testing.T, d Divergence, old *tensor.Dense) []float64 {
	t.Helper()
	shape := old.Shape().Clone()
	n := max(shape.TotalSize(), 1)
	at := make([]float64, n)
	if shape.IsScalar() {
		at[0] = old.ScalarValue().(float64)
		old, shape = tensor.New(tensor.WithShape(1), tensor.WithBacking(append([]float64(nil), at...))), tensor.Shape{1}
	} else {
		copy(at, old.Float64s())
	}
	g := gorgonia.NewGraph()
	moved := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(at))
	node, err := d.Build(leafOf(g, old, "old"), leafOf(g, moved, "moved"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var value gorgonia.Value
	gorgonia.Read(node, &value)
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	f := func(i, j int, hi, hj float64) float64 {
		at[i] += hi
		at[j] += hj
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
		at[i] -= hi
		at[j] -= hj
		return scalar(value)
	}
	const h = 1e-3
	hess := make([]float64, n*n)
	for i := range n {
		for j := range n {
			hess[i*n+j] = (f(i, j, h, h) - f(i, j, h, -h) - f(i, j, -h, h) + f(i, j, -h, -h)) / (4 * h * h)
		}
	}
	return hess
}
