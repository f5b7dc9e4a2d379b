package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestLinearTransposed(t *testing.T) {
	rng := rand.New(rand.NewPCG(72, 1))
	for _, s := range [][3]int{{1, 1, 1}, {3, 2, 4}, {5, 7, 3}} {
		rows, n, m := s[0], s[1], s[2]
		opTest{
			name:   "x·Wᵀ",
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return LinearTransposed(in[0], in[1]) },
			inputs: []*tensor.Dense{randn(rng, rows, n), randn(rng, m, n)},
			wrt:    []int{0, 1},
			want: func(in [][]float64) []float64 {
				y := make([]float64, rows*m)
				for i := range y {
					for j := range n {
						y[i] += in[0][i/m*n+j] * in[1][i%m*n+j]
					}
				}
				return y
			},
		}.run(t)
	}
	g := gorgonia.NewGraph()
	x := inputNode(g, randn(rng, 3, 4), tensor.Float64, "x")
	for what, w := range map[string]*gorgonia.Node{"nothing": nil, "another width": inputNode(g, randn(rng, 4, 3), tensor.Float64, "w"), "a vector": inputNode(g, randn(rng, 4), tensor.Float64, "v")} {
		if _, err := LinearTransposed(x, w); err == nil {
			t.Errorf("%s was accepted as W", what)
		}
	}
}
