package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// sliceCases are slices, and joins, whose gradient is slices.
func sliceCases() []opCase {
	s := gorgonia.S
	of := func(name string, shape []int, slices ...tensor.Slice) opCase {
		return opCase{
			name:   "slice: " + name,
			shapes: [][]int{shape},
			build:  func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Slice(p[0], slices...) },
			want: func(p [][]float64) []float64 {
				x := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(p[0]))
				y, err := x.Slice(slices...)
				if err != nil {
					panic(err)
				}
				if y.IsScalar() {
					return []float64{y.ScalarValue().(float64)}
				}
				return y.Materialize().(*tensor.Dense).Float64s()
			},
		}
	}
	byIndices := func(axis int, shape ...int) opCase {
		note := ""
		if axis > 0 {
			note = "Gorgonia's ByIndices"
		}
		return opCase{
			name: fmt.Sprintf("rows of %v along %d by numbers", shape, axis), note: note, shapes: [][]int{shape},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				numbers := gorgonia.NewConstant(tensor.New(tensor.WithShape(4), tensor.WithBacking([]int{2, 0, 2, 1})))
				return gorgonia.ByIndices(p[0], p[0].Graph().AddNode(numbers), axis)
			},
		}
	}
	return []opCase{
		byIndices(0, 3, 4), byIndices(1, 4, 3), byIndices(0, 3, 2, 2),
		of("an element", []int{5}, s(2)),
		of("a range of a vector", []int{5}, s(1, 4)),
		of("a row", []int{4, 3}, s(2)),
		of("rows", []int{4, 3}, s(1, 3)),
		of("a column", []int{4, 3}, nil, s(1)),
		of("columns", []int{4, 3}, nil, s(1, 3)),
		of("rows and columns", []int{4, 5}, s(1, 3), s(2, 4)),
		of("a row's columns", []int{4, 5}, s(1), s(2, 4)),
		of("a number", []int{4, 5}, s(1), s(2)),
		of("every second row", []int{6, 3}, s(0, 6, 2)),
		of("every second column", []int{3, 6}, nil, s(1, 5, 2)),
		of("all", []int{3, 4}, nil, nil),
		of("the last axis of 3", []int{2, 3, 4}, nil, nil, s(1, 3)),
		of("one of the middle axis", []int{2, 3, 4}, nil, s(1)),
		of("three axes", []int{3, 4, 5}, s(1, 3), s(2), s(0, 4)),
		of("four axes", []int{2, 3, 4, 2}, s(0, 2), s(1, 3), s(2), s(1)),
		{
			name:   "slice: the gates of a packed LSTM",
			shapes: [][]int{{2, 12}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				gate := func(i int, f func(*gorgonia.Node) (*gorgonia.Node, error)) *gorgonia.Node {
					return gorgonia.Must(f(gorgonia.Must(gorgonia.Slice(p[0], nil, s(3*i, 3*i+3)))))
				}
				in, forget, out, cell := gate(0, gorgonia.Sigmoid), gate(1, gorgonia.Sigmoid), gate(2, gorgonia.Sigmoid), gate(3, gorgonia.Tanh)
				c := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.HadamardProd(in, cell)), forget))
				return gorgonia.HadamardProd(out, gorgonia.Must(gorgonia.Tanh(c)))
			},
		},
		{
			name:   "slice: ranges that Gorgonia takes for one",
			shapes: [][]int{{1, 512}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				a := gorgonia.Must(gorgonia.Slice(p[0], nil, s(0, 128)))
				b := gorgonia.Must(gorgonia.Slice(p[0], nil, s(256, 384)))
				return gorgonia.Sub(gorgonia.Must(gorgonia.Square(a)), gorgonia.Must(gorgonia.Tanh(b)))
			},
			note: "agree modulo 256",
		},
		{
			name:   "concat",
			shapes: [][]int{{2, 3}, {2, 1}, {2, 4}},
			build:  func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Concat(1, p...) },
			want: func(p [][]float64) (y []float64) {
				for i := range 2 {
					y = append(append(append(y, p[0][3*i:3*i+3]...), p[1][i]), p[2][4*i:4*i+4]...)
				}
				return y
			},
		},
		{
			name:   "concat whose gradient Gorgonia cuts wrongly",
			shapes: [][]int{{128}, {128}, {128}},
			build:  func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Concat(0, p...) },
			want:   func(p [][]float64) []float64 { return append(append(append([]float64{}, p[0]...), p[1]...), p[2]...) },
			note:   "Gorgonia's Concat",
		},
	}
}
