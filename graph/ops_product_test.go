package graph

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// productCases are products, and functions by element.
func productCases() []opCase {
	each := func(name, note string, f func(*gorgonia.Node) (*gorgonia.Node, error), want func(float64) float64) opCase {
		return opCase{
			name: name, note: note, shapes: [][]int{{3, 4}}, positive: true,
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return f(p[0]) },
			want: func(p [][]float64) []float64 {
				y := make([]float64, len(p[0]))
				for i, v := range p[0] {
					y[i] = want(v)
				}
				return y
			},
		}
	}
	identity := each("identity", "has no gradient", func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.ApplyOp(gorgonia.Iop{}, x) }, func(x float64) float64 { return x })
	product := func(name string, a, b []int, op func(a, b *gorgonia.Node) (*gorgonia.Node, error)) opCase {
		return opCase{
			name: name, shapes: [][]int{a, b},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return op(p[0], p[1]) },
		}
	}
	batched := func(a, b []int, transposed ...bool) opCase {
		return product(fmt.Sprintf("products of %v and %v, %v", a, b, transposed), a, b, func(a, b *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.BatchedMatMul(a, b, transposed...)
		})
	}
	return []opCase{
		product("matrices", []int{3, 4}, []int{4, 2}, gorgonia.Mul),
		product("matrix and vector", []int{3, 4}, []int{4}, gorgonia.Mul),
		product("vector and matrix", []int{3}, []int{3, 4}, gorgonia.Mul),
		product("vectors", []int{3}, []int{3}, gorgonia.Mul),
		product("matrix and column", []int{3, 4}, []int{4, 1}, gorgonia.Mul),
		product("row and matrix", []int{1, 3}, []int{3, 4}, gorgonia.Mul),
		product("row and column", []int{1, 3}, []int{3, 1}, gorgonia.Mul),
		batched([]int{2, 3, 4}, []int{2, 4, 5}),
		batched([]int{2, 4, 3}, []int{2, 4, 5}, true),
		batched([]int{2, 3, 4}, []int{2, 5, 4}, false, true),
		batched([]int{2, 4, 3}, []int{2, 5, 4}, true, true),
		batched([]int{2, 2, 3, 4}, []int{2, 2, 4, 5}),
		each("logarithm of base 2", "Gorgonia's Log2", gorgonia.Log2, math.Log2),
		each("inverse root", "Gorgonia's InverseSqrt", gorgonia.InverseSqrt, func(x float64) float64 { return 1 / math.Sqrt(x) }),
		identity,
		{
			name: "log-sum-exp", note: "Gorgonia's LogSumExp", shapes: [][]int{{4}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.LogSumExp(p[0], 0) },
			want: func(p [][]float64) []float64 {
				var sum float64
				for _, v := range p[0] {
					sum += math.Exp(v)
				}
				return []float64{math.Log(sum)}
			},
		},
		{
			name: "element of a matrix", shapes: [][]int{{4, 3}}, note: "has no gradient",
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.At(p[0], 2, 1) },
			want:  func(p [][]float64) []float64 { return p[0][7:8] },
		},
		{
			name: "times whole numbers", shapes: [][]int{{2, 2}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				whole := gorgonia.NewConstant(tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]int{1, 2, 3, 4})))
				x, err := gorgonia.ConvType(p[0].Graph().AddNode(whole), tensor.Int, p[0].Dtype())
				if err != nil {
					return nil, err
				}
				return gorgonia.HadamardProd(p[0], x)
			},
			want: func(p [][]float64) []float64 { return []float64{p[0][0], 2 * p[0][1], 3 * p[0][2], 4 * p[0][3]} },
		},
		ctc(gorgonia.ReductionSum),
		{
			name: "outer product", note: "OuterProd", shapes: [][]int{{3}, {4}},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.OuterProd(p[0], p[1]) },
			want: func(p [][]float64) (y []float64) {
				for _, a := range p[0] {
					for _, b := range p[1] {
						y = append(y, a*b)
					}
				}
				return y
			},
		},
		tensordot([]int{3, 4}, []int{4, 2}, []int{1}, []int{0}),
		tensordot([]int{3, 4}, []int{2, 4}, []int{1}, []int{1}),
		tensordot([]int{3, 4}, []int{3, 4}, []int{0, 1}, []int{0, 1}),
		tensordot([]int{3, 4}, []int{4, 3}, []int{0, 1}, []int{1, 0}),
		tensordot([]int{3}, []int{3}, []int{0}, []int{0}),
		tensordot([]int{3}, []int{3, 4}, []int{0}, []int{0}),
		tensordot([]int{3, 4, 2}, []int{2, 4, 5}, []int{1, 2}, []int{1, 0}),
		tensordot([]int{3, 4, 2}, []int{2, 4, 5}, []int{2, 1}, []int{0, 1}),
		tensordot([]int{3, 4, 2}, []int{3, 5}, []int{0}, []int{0}),
		tensordot([]int{3, 4, 2}, []int{5, 3, 2}, []int{0, 2}, []int{1, 2}),
		tensordot([]int{2, 3, 2, 3}, []int{3, 2, 2}, []int{1, 2}, []int{0, 1}),
	}
}

// ctc is Gorgonia's loss, whose result its own machine multiplies with nothing.
func ctc(reduction gorgonia.Reduction) opCase {
	return opCase{
		name: "connectionist temporal classification", shapes: [][]int{{4, 3, 5}}, alone: true,
		build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
			ints := func(v []int, shape ...int) *gorgonia.Node {
				return p[0].Graph().AddNode(gorgonia.NewConstant(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
			}
			x, err := gorgonia.LogSoftMax(p[0], 2)
			if err != nil {
				return nil, err
			}
			return gorgonia.CTCLoss(x, ints([]int{1, 2, 3, 4, 2, 2}, 3, 2), ints([]int{4, 4, 4}, 3), ints([]int{2, 2, 1}, 3), reduction)
		},
	}
}

// tensordot sums over pairs of axes by their indices.
func tensordot(a, b tensor.Shape, aAxes, bAxes []int) opCase {
	return opCase{
		name: fmt.Sprintf("tensordot of %v and %v over %v and %v", a, b, aAxes, bAxes), shapes: [][]int{a, b},
		alone: len(aAxes) == len(a) && len(bAxes) == len(b), // a number, which Gorgonia takes for an array
		build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Tensordot(slices.Clone(aAxes), slices.Clone(bAxes), p[0], p[1])
		},
		want: func(p [][]float64) (y []float64) {
			for _, i := range indices(a, aAxes) {
				for _, j := range indices(b, bAxes) {
					var sum float64
					for _, k := range indices(a, nil) {
						if !agree(k, i, aAxes) {
							continue
						}
						for axis, pair := range bAxes {
							j[pair] = k[aAxes[axis]]
						}
						sum += p[0][at(a, k)] * p[1][at(b, j)]
					}
					y = append(y, sum)
				}
			}
			return y
		},
	}
}

// indices are all those of an array, of 0 along the given axes.
func indices(s tensor.Shape, zero []int) [][]int {
	all := [][]int{make([]int, len(s))}
	for a, n := range s {
		if slices.Contains(zero, a) {
			continue
		}
		var next [][]int
		for _, i := range all {
			for k := range n {
				j := slices.Clone(i)
				j[a] = k
				next = append(next, j)
			}
		}
		all = next
	}
	return all
}

// agree reports whether two indices are the same but along the given axes.
func agree(i, j, but []int) bool {
	for a := range i {
		if i[a] != j[a] && !slices.Contains(but, a) {
			return false
		}
	}
	return true
}

func at(s tensor.Shape, index []int) (n int) {
	for a, i := range index {
		n = n*s[a] + i
	}
	return n
}
