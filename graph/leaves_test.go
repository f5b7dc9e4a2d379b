package graph

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestParamNames numbers parameters without a name, and of those that share one all
// but the first; the names are as many as the parameters.
func TestParamNames(t *testing.T) {
	g := gorgonia.NewGraph()
	vector := func(n int, name string) *gorgonia.Node {
		options := []gorgonia.NodeConsOpt{gorgonia.WithShape(n)}
		if name != "" {
			options = append(options, gorgonia.WithName(name))
		}
		return gorgonia.NewVector(g, tensor.Float64, options...)
	}
	nodes := gorgonia.Nodes{vector(2, "w"), vector(3, ""), vector(4, "w"), vector(5, "param1"), vector(6, "w#2"), vector(7, "")}
	want := []string{"w", "param1'", "w#2'", "param1", "w#2", "param5"}
	if names := paramNames(nodes); !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}

// TestArrayOfNumber writes to a number by way of its array.
func TestArrayOfNumber(t *testing.T) {
	f64, f32, i := gorgonia.NewF64(1), gorgonia.NewF32(1), gorgonia.NewI(1)
	scalar := tensor.New(tensor.FromScalar(1.0))
	for _, v := range []gorgonia.Value{f64, f32, i, scalar} {
		a, ok := Array(v)
		if !ok || !a.Shape().Eq(tensor.Shape{1}) {
			t.Fatalf("%T: %v, %v", v, a, ok)
		}
		switch a.Dtype() {
		case tensor.Float64:
			a.Float64s()[0] = 2
		case tensor.Float32:
			a.Float32s()[0] = 2
		default:
			a.Ints()[0] = 2
		}
	}
	if *f64 != 2 || *f32 != 2 || *i != 2 || scalar.Float64s()[0] != 2 {
		t.Error(f64, f32, i, scalar)
	}
	if _, ok := Array(gorgonia.NewB(true)); ok {
		t.Error("a bool was taken for a number")
	}
}
