package array_test

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// A rule whose directions are at most 1 long keeps its weights finite for as long as
// the bound of the weights, raised by each step, is within the range of float32.
func ExampleBounds() {
	w := []float32{3, 4}
	b := array.Bounds[float32]{Arrays: [][][]float32{{w}}}
	step := func(rate float64) bool {
		return b.Hold(func(_ int, x []float64) bool {
			x[0] += rate * 1
			return true
		})
	}
	fmt.Println(step(0.1), step(1e38))
	// Output: true false
}

func TestNormsOfBothDtypes(t *testing.T) {
	single := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{3, 4}))
	double := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{3, 4}))
	for _, a := range []*tensor.Dense{single, double} {
		if n := array.Norm(a); n != 5 {
			t.Errorf("%v: norm %v, want 5", a.Dtype(), n)
		}
		array.Scale(a, 2)
		if s := array.SumSquares(a, a); s != 200 {
			t.Errorf("%v: sum of squares %v, want 200", a.Dtype(), s)
		}
	}
	ints := tensor.New(tensor.WithShape(1), tensor.WithBacking([]int{1}))
	if n := array.Norm(ints); !math.IsNaN(n) {
		t.Errorf("norm of integers is %v", n)
	}
}

func TestDescentMoves(t *testing.T) {
	w := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{1, 2}))
	d := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{1, -1}))
	descent, err := array.NewDescent(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	descent.Move([]*graph.Param{{Name: "w", Value: w}}, []*tensor.Dense{d}, []float64{0.5})
	if x := w.Float32s(); x[0] != 0.5 || x[1] != 2.5 {
		t.Errorf("moved to %v", x)
	}
	if _, err := array.NewDescent(tensor.Int); err == nil {
		t.Error("a descent of integers")
	}
}
