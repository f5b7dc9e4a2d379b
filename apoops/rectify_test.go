package apoops

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestRectifyAtZero compares values and gradients of RectifyAct with Gorgonia's
// Rectify, whose derivative at exactly 0, of either sign, is 1: alone and fused with
// the ops before it.
func TestRectifyAtZero(t *testing.T) {
	z := []float64{-2, -math.SmallestNonzeroFloat64, math.Copysign(0, -1), 0, math.SmallestNonzeroFloat64, 3}
	ones := func(g *gorgonia.ExprGraph, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithInit(gorgonia.Ones()), gorgonia.WithName("one"))
	}
	zeros := func(g *gorgonia.ExprGraph, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithInit(gorgonia.Zeroes()), gorgonia.WithName("zero"))
	}
	run := func(build func(x *gorgonia.Node) (*gorgonia.Node, error)) (y, dx []float64) {
		g := gorgonia.NewGraph()
		x := gorgonia.NewTensor(g, tensor.Float64, 4, gorgonia.WithShape(6, 1, 1, 1), gorgonia.WithName("x"),
			gorgonia.WithValue(tensor.New(tensor.WithShape(6, 1, 1, 1), tensor.WithBacking(slices.Clone(z)))))
		out, err := build(gorgonia.Must(Times(x, 1)))
		if err != nil {
			t.Fatal(err)
		}
		var value gorgonia.Value
		gorgonia.Read(out, &value)
		cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(Reshape(out, 6))))
		grads, err := gorgonia.Grad(cost, x)
		if err != nil {
			t.Fatal(err)
		}
		vm := gorgonia.NewTapeMachine(g)
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		return floats(value), floats(grads[0].Value())
	}
	y, dx := run(gorgonia.Rectify)
	if want := []float64{0, 0, 1, 1, 1, 1}; !slices.Equal(dx, want) {
		t.Fatalf("Gorgonia's derivatives are %v, not %v", dx, want)
	}
	for name, build := range map[string]func(x *gorgonia.Node) (*gorgonia.Node, error){
		"alone": func(x *gorgonia.Node) (*gorgonia.Node, error) { return Activate(RectifyAct, x) },
		"affine": func(x *gorgonia.Node) (*gorgonia.Node, error) {
			return Affine(gorgonia.Must(Reshape(x, 6, 1)), ones(x.Graph(), 1, 1), zeros(x.Graph(), 1), RectifyAct)
		},
		"convolution": func(x *gorgonia.Node) (*gorgonia.Node, error) {
			w := gorgonia.Must(FilterMatrix(ones(x.Graph(), 1, 1, 1, 1), zeros(x.Graph(), 1)))
			return Conv2D(x, w, Conv{Kernel: [2]int{1, 1}, Activation: RectifyAct})
		},
		"sum": func(x *gorgonia.Node) (*gorgonia.Node, error) {
			return AddActivate(x, zeros(x.Graph(), 6, 1, 1, 1), RectifyAct)
		},
	} {
		ours, slope := run(build)
		if !slices.Equal(ours, y) || !slices.Equal(slope, dx) {
			t.Errorf("%s: %v with derivatives %v; Gorgonia's are %v and %v", name, ours, slope, y, dx)
		}
	}
}
