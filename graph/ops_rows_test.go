package graph

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// rowCases are softmax and its like along each axis.
func rowCases() (cases []opCase) {
	for _, shape := range []tensor.Shape{{4}, {3, 4}, {2, 3, 4}, {2, 3, 2, 4}} {
		for axis := range shape {
			for name, r := range rowFunctions {
				c := opCase{
					name:   fmt.Sprintf("%s of %v along %d", name, shape, axis),
					shapes: [][]int{shape},
					build:  func(p gorgonia.Nodes) (*gorgonia.Node, error) { return r.op(p[0], axis) },
					want:   func(p [][]float64) []float64 { return alongAxis(p[0], shape, axis, r.row) },
				}
				if name == "sparsemax" {
					c.note = "Gorgonia's Sparsemax"
				}
				cases = append(cases, c)
			}
		}
	}
	for name, r := range rowFunctions {
		for _, shape := range []tensor.Shape{{3, 4}, {1, 4}} {
			cases = append(cases, opCase{
				name:   fmt.Sprintf("%s of %v without an axis", name, shape),
				shapes: [][]int{shape},
				build:  func(p gorgonia.Nodes) (*gorgonia.Node, error) { return r.op(p[0]) },
				want:   func(p [][]float64) []float64 { return alongAxis(p[0], shape, 1, r.row) },
			})
		}
	}
	return append(cases, opCase{
		name:   "softmax of a column without an axis",
		shapes: [][]int{{4, 1}},
		build:  func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.SoftMax(p[0]) },
		want:   func(p [][]float64) []float64 { return softmax(p[0]) },
		note:   "of a column",
	})
}

var rowFunctions = map[string]struct {
	op  func(*gorgonia.Node, ...int) (*gorgonia.Node, error)
	row func(x []float64) []float64
}{
	"softmax":    {gorgonia.SoftMax, softmax},
	"logSoftmax": {gorgonia.LogSoftMax, func(x []float64) []float64 { return logarithms(softmax(x)) }},
	"sparsemax":  {gorgonia.Sparsemax, sparsemax},
}

func softmax(x []float64) []float64 {
	var sum float64
	for _, v := range x {
		sum += math.Exp(v - slices.Max(x))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = math.Exp(v-slices.Max(x)) / sum
	}
	return y
}

func logarithms(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = math.Log(v)
	}
	return y
}

// sparsemax finds the threshold by bisection.
func sparsemax(x []float64) []float64 {
	y := make([]float64, len(x))
	lo, hi := slices.Min(x)-1, slices.Max(x)
	for range 100 {
		t, sum := (lo+hi)/2, 0.
		for i, v := range x {
			y[i] = max(v-t, 0)
			sum += y[i]
		}
		if sum > 1 {
			lo = t
		} else {
			hi = t
		}
	}
	return y
}

// alongAxis applies f to all rows along an axis.
func alongAxis(x []float64, shape tensor.Shape, axis int, f func([]float64) []float64) []float64 {
	along, after := shape[axis], tensor.Shape(shape[axis+1:]).TotalSize()
	y := make([]float64, len(x))
	for i := range x {
		if i/after%along != 0 {
			continue
		}
		row := make([]float64, along)
		for j := range row {
			row[j] = x[i+j*after]
		}
		for j, v := range f(row) {
			y[i+j*after] = v
		}
	}
	return y
}
