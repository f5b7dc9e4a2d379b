package graph_test

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
)

func init() { tables = append(tables, reductions()) }

// reductions are sums, means and maxima over each set of axes of arrays of 1 to 4
// axes.
func reductions() []pattern {
	var rows []pattern
	shapes := [][]int{{4}, {3, 4}, {2, 3, 4}, {2, 3, 4, 2}}
	for name, f := range map[string]func(n *gorgonia.Node, axes ...int) (*gorgonia.Node, error){
		"sum": gorgonia.Sum, "mean": gorgonia.Mean, "max": gorgonia.Max,
	} {
		for _, shape := range shapes {
			for _, axes := range subsets(len(shape)) {
				wrong := ""
				if len(shape) == 4 && (slices.Equal(axes, []int{2}) || slices.Equal(axes, []int{2, 3})) {
					wrong = "Sum, Mean and Max"
				}
				p := pattern{wrong: wrong, name: fmt.Sprintf("%s/%d-D along %v", name, len(shape), axes), build: func(u *user) (out, cost *gorgonia.Node) {
					y := must(gorgonia.HadamardProd(u.w(shape...), u.x(shape...)))
					return y, must(gorgonia.Mean(must(gorgonia.Square(must(f(y, axes...))))))
				}}
				rows = append(rows, p)
			}
		}
	}
	for i, axes := range [][]int{{1, 0}, {2, 0}, {2, 1, 0}} {
		rows = append(rows, pattern{name: fmt.Sprintf("sum/3-D along %v", axes), build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.HadamardProd(u.w(2, 3, 2+i), u.x(2, 3, 2+i)))
			return y, must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sum(y, axes...))))))
		}})
	}
	return append(rows,
		pattern{name: "norm/2", build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
			return y, must(gorgonia.Mean(must(gorgonia.Norm(y, 1, 2))))
		}},
		pattern{name: "norm/3", build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.Mul(u.input(.2, 1, 3, 2), u.param(.2, 1, 2, 4)))
			return y, must(gorgonia.Mean(must(gorgonia.Norm(y, 1, 3))))
		}},
		pattern{name: "sum of sums", build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.Mul(u.x(3, 2), u.w(2, 4)))
			return y, must(gorgonia.Sum(must(gorgonia.Square(must(gorgonia.Sum(y, 0))))))
		}},
		pattern{name: "log-sum-exp of a vector", build: func(u *user) (out, cost *gorgonia.Node) {
			y := must(gorgonia.Mul(u.x(3, 2), u.w(2)))
			return y, must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(y))))))
		}},
	)
}

// subsets are the non-empty sets of n axes.
func subsets(n int) (all [][]int) {
	for set := 1; set < 1<<n; set++ {
		var axes []int
		for k := range n {
			if set>>k&1 == 1 {
				axes = append(axes, k)
			}
		}
		all = append(all, axes)
	}
	return all
}
