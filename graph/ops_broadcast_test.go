package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// broadcastCases are sums of an array and one that is broadcast to it. The gradient
// of the latter is Gorgonia's sum along its axes, one after the other.
func broadcastCases() (cases []opCase) {
	whole := tensor.Shape{2, 3, 4, 3}
	for small, note := range map[[4]int]string{
		{1, 3, 1, 1}: "", {1, 3, 4, 1}: "", {2, 1, 1, 1}: "", {2, 3, 1, 1}: "", {1, 3, 4, 3}: "", {2, 1, 4, 3}: "", {2, 3, 4, 1}: "",
		{2, 3, 1, 3}: "axis 2", {1, 3, 1, 3}: "axis 2", {2, 1, 1, 3}: "axis 2", {1, 1, 1, 3}: "axis 2",
	} {
		cases = append(cases, opCase{
			name:   fmt.Sprintf("broadcast of %v", small),
			shapes: [][]int{whole, small[:]},
			build: func(p gorgonia.Nodes) (*gorgonia.Node, error) {
				return gorgonia.Auto(gorgonia.BroadcastHadamardProd, p[0], p[1])
			},
			want: func(p [][]float64) []float64 {
				y := make([]float64, len(p[0]))
				for i, v := range p[0] {
					at, stride := 0, 1
					for a, rest := len(whole)-1, i; a >= 0; a-- {
						if small[a] > 1 {
							at += rest % whole[a] * stride
						}
						stride *= small[a]
						rest /= whole[a]
					}
					y[i] = v * p[1][at]
				}
				return y
			},
			note: note,
		})
	}
	return cases
}
