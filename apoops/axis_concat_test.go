package apoops

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestRepeat(t *testing.T) {
	rng := rand.New(rand.NewPCG(66, 1))
	shape := tensor.Shape{2, 3, 4, 2}
	for axis := range shape {
		before, along, after := around(shape, axis)
		one := shape.Clone()
		one[axis] = 1
		opTest{
			name:   fmt.Sprintf("repeat along %d", axis),
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Repeat(in[0], axis, shape...) },
			inputs: []*tensor.Dense{randn(rng, one...)},
			wrt:    []int{0},
			want: func(in [][]float64) (want []float64) {
				for i := range before {
					for range along {
						want = append(want, in[0][i*after:(i+1)*after]...)
					}
				}
				return want
			},
		}.run(t)
	}
	opTest{
		name:   "repeat of a scalar",
		build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Repeat(in[0], 0, 3) },
		inputs: []*tensor.Dense{randn(rng)},
		wrt:    []int{0},
		want:   func(in [][]float64) []float64 { return []float64{in[0][0], in[0][0], in[0][0]} },
	}.run(t)
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 3))
	for _, axis := range []int{-1, 1, 3} {
		if _, err := Repeat(x, axis, 2, 3, 2); err == nil {
			t.Errorf("axis %d was accepted", axis)
		}
	}
}

func TestConcat(t *testing.T) {
	rng := rand.New(rand.NewPCG(67, 1))
	for axis := range 3 {
		var in []*tensor.Dense
		for _, n := range []int{2, 1, 3} {
			s := []int{2, 3, 2}
			s[axis] = n
			in = append(in, randn(rng, s...))
		}
		opTest{
			name:   fmt.Sprintf("concat along %d", axis),
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Concat(axis, in...) },
			inputs: in,
			wrt:    []int{0, 1, 2},
			want: func([][]float64) []float64 {
				y, err := in[0].Concat(axis, in[1:]...)
				if err != nil {
					t.Fatal(err)
				}
				return y.Float64s()
			},
		}.run(t)
	}
	g := gorgonia.NewGraph()
	node := func(shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(fmt.Sprint(shape)), gorgonia.WithShape(shape...))
	}
	for what, x := range map[string]gorgonia.Nodes{"nothing": nil, "other lengths": {node(2, 3), node(3, 3)}, "other axes": {node(2, 3), node(6)}, "nil": {node(2, 3), nil}} {
		if _, err := Concat(1, x...); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	if _, err := Concat(2, node(2, 3)); err == nil {
		t.Error("axis 2 of a matrix was accepted")
	}
}
