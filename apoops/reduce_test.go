package apoops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestReductions reduces over every set of axes of arrays of 1 to 4 axes, in both orders.
func TestReductions(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 1))
	all := tensor.Shape{2, 3, 2, 3}
	for d := 1; d <= len(all); d++ {
		shape := all[:d]
		for set := 1; set < 1<<d; set++ {
			var axes []int
			for a := range d {
				if set>>a&1 == 1 {
					axes = append(axes, a)
				}
			}
			if set%2 == 0 {
				slices.Reverse(axes)
			}
			opTest{
				name:   fmt.Sprintf("sum of %v over %v", shape, axes),
				build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Sum(in[0], axes...) },
				inputs: []*tensor.Dense{randn(rng, shape...)},
				wrt:    []int{0},
				want:   func(in [][]float64) []float64 { return byIndices(in[0], shape, axes, 0, plus) },
			}.run(t)
			opTest{
				name:   fmt.Sprintf("max of %v over %v", shape, axes),
				build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Max(in[0], axes...) },
				inputs: []*tensor.Dense{randn(rng, shape...)},
				wrt:    []int{0},
				want:   func(in [][]float64) []float64 { return byIndices(in[0], shape, axes, math.Inf(-1), math.Max) },
			}.run(t)
		}
	}
	wide := tensor.Shape{3, 300}
	opTest{
		name:   "sum of a wide matrix",
		build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Sum(in[0], 0) },
		inputs: []*tensor.Dense{randn(rng, wide...)},
		want:   func(in [][]float64) []float64 { return byIndices(in[0], wide, []int{0}, 0, plus) },
	}.run(t)
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(2, 3))
	for _, axes := range [][]int{{2}, {-1}, {0, 0}} {
		if _, err := Sum(x, axes...); err == nil {
			t.Errorf("sum over axes %v was accepted", axes)
		}
		if _, err := Max(x, axes...); err == nil {
			t.Errorf("max over axes %v was accepted", axes)
		}
	}
}

func plus(a, b float64) float64 { return a + b }

// byIndices puts each element to the result that has its other indices.
func byIndices(x []float64, shape tensor.Shape, axes []int, start float64, put func(a, b float64) float64) []float64 {
	kept := 1
	for a, n := range shape {
		if !slices.Contains(axes, a) {
			kept *= n
		}
	}
	y := slices.Repeat([]float64{start}, kept)
	for i, v := range x {
		at, stride, rest := 0, 1, i
		for a := len(shape) - 1; a >= 0; a-- {
			index := rest % shape[a]
			rest /= shape[a]
			if !slices.Contains(axes, a) {
				at += index * stride
				stride *= shape[a]
			}
		}
		y[at] = put(y[at], v)
	}
	return y
}
