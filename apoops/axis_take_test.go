package apoops

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestTake(t *testing.T) {
	rng := rand.New(rand.NewPCG(68, 1))
	numbers := []int{2, 0, 2, 1, 2}
	vector := tensor.New(tensor.WithShape(len(numbers)), tensor.WithBacking(numbers))
	for axis := range 3 {
		shape := tensor.Shape{2, 2, 2}
		shape[axis] = 3
		before, along, after := around(shape, axis)
		opTest{
			name:   fmt.Sprintf("take along %d", axis),
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Take(in[0], in[1], axis) },
			inputs: []*tensor.Dense{randn(rng, shape...), vector},
			wrt:    []int{0},
			want: func(in [][]float64) (want []float64) {
				for i := range before {
					for _, n := range numbers {
						want = append(want, in[0][(i*along+n)*after:][:after]...)
					}
				}
				return want
			},
		}.run(t)
	}
	g := gorgonia.NewGraph()
	x := inputNode(g, randn(rng, 2, 2), tensor.Float64, "x")
	for what, n := range map[string]*gorgonia.Node{
		"numbers of two axes": gorgonia.NewMatrix(g, tensor.Int, gorgonia.WithName("n"), gorgonia.WithShape(2, 2)),
		"no numbers":          nil,
	} {
		if _, err := Take(x, n, 0); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	n := inputNode(g, vector, tensor.Int, "numbers")
	if _, err := Take(x, n, 2); err == nil {
		t.Error("axis 2 of a matrix was accepted")
	}
	y, err := Take(x, n, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := y.Op().Do(x.Value(), n.Value()); err == nil {
		t.Error("number 2 of an axis of 2 was accepted")
	}
}
