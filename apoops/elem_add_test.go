package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestAdd compares sums of two to four terms, and their gradients, with Gorgonia's
// own, bit for bit: terms are added in their order.
func TestAdd(t *testing.T) {
	rng := rand.New(rand.NewPCG(81, 1))
	for _, shape := range [][]int{{3, 5, 2}, {7}, {300, 71}} {
		for n := 2; n <= 4; n++ {
			var results [2][]float32
			values := make([]*tensor.Dense, n)
			for i := range values {
				data := make([]float32, tensor.Shape(shape).TotalSize())
				for j := range data {
					data[j] = float32(rng.NormFloat64())
				}
				values[i] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
			}
			for k, sum := range []func(gorgonia.Nodes) (*gorgonia.Node, error){
				func(terms gorgonia.Nodes) (*gorgonia.Node, error) { return Add(terms...) },
				func(terms gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.ReduceAdd(terms) },
			} {
				g := gorgonia.NewGraph()
				terms := make(gorgonia.Nodes, n)
				for i, v := range values {
					terms[i] = gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(string(rune('a'+i))), gorgonia.WithValue(v.Clone()))
				}
				y, err := sum(terms)
				if err != nil {
					t.Fatal(err)
				}
				cost, err := SquaredError(y, terms[n-1])
				if err != nil {
					t.Fatal(err)
				}
				grads, err := gorgonia.Grad(cost, terms...)
				if err != nil {
					t.Fatal(err)
				}
				var out gorgonia.Value
				gorgonia.Read(y, &out)
				if err := gorgonia.NewTapeMachine(g).RunAll(); err != nil {
					t.Fatal(err)
				}
				for _, v := range []gorgonia.Value{out, grads[0].Value(), grads[n-1].Value()} {
					results[k] = append(results[k], v.Data().([]float32)...)
				}
			}
			for i, v := range results[0] {
				if v != results[1][i] {
					t.Fatalf("%d terms of shape %v: element %d is %v, not %v", n, shape, i, v, results[1][i])
				}
			}
		}
	}
}

// TestAddScalars adds numbers.
func TestAddScalars(t *testing.T) {
	g := gorgonia.NewGraph()
	a := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("a"), gorgonia.WithValue(0.25))
	b := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("b"), gorgonia.WithValue(3.0))
	y, err := Add(a, b, a)
	if err != nil {
		t.Fatal(err)
	}
	if err := gorgonia.NewTapeMachine(g).RunAll(); err != nil {
		t.Fatal(err)
	}
	if v := y.Value().Data().(float64); v != 3.5 {
		t.Fatalf("sum %v", v)
	}
}

// TestAddRefuses has it report what is no sum.
func TestAddRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	a := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(3), gorgonia.WithName("a"))
	b := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(4), gorgonia.WithName("b"))
	for _, terms := range []gorgonia.Nodes{nil, {a}, {a, b}, {a, nil}} {
		if _, err := Add(terms...); err == nil {
			t.Errorf("no error for %d terms", len(terms))
		}
	}
}
