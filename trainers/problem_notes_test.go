package trainers

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// affine is a regression x·W + b, with a penalty on W where that is wanted.
func affine(penalty bool, bias ...int) graph.Problem {
	g, must := gorgonia.NewGraph(), gorgonia.Must
	leaf := func(name string, shape ...int) *gorgonia.Node {
		v := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(tensor.Range(tensor.Float64, 1, 1+tensor.Shape(shape).TotalSize())))
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(v))
	}
	x, y, w, b := leaf("x", 8, 4), leaf("y", 8, 2), leaf("w", 4, 2), leaf("b", bias...)
	row := b
	if len(bias) == 1 {
		row = must(gorgonia.Reshape(b, tensor.Shape{1, 2}))
	}
	out := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w)), row, nil, []byte{0}))
	cost := must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.Square(must(gorgonia.Sub(out, y)))), 1))))
	if penalty {
		cost = must(gorgonia.Add(cost, must(gorgonia.Sum(must(gorgonia.Abs(w))))))
	}
	return graph.Problem{
		Cost: cost, Output: out, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{w, b},
		Divergence: graph.HalfSquared, Sample: graph.NormalTargets,
	}
}

// TestBiasInNoPair has a note that names Pairs, unless the bias is in one.
func TestBiasInNoPair(t *testing.T) {
	for _, o := range []Optimizer{Precond(0.01), KFAC(0.001), EKFAC(0.001), SINGD(0.0001)} {
		for _, bias := range [][]int{{1, 2}, {2}} {
			for _, paired := range []bool{false, true} {
				p := affine(false, bias...)
				if paired {
					p.Pairs = []graph.Pair{{Weight: p.Params[0], Bias: p.Params[1]}}
				}
				tr, err := FromProblem(p, o)
				wantNil(t, err)
				step(t, tr, regressionBatch())
				notes := tr.Notes()
				named := slices.ContainsFunc(notes, func(n string) bool {
					return strings.Contains(n, " for b: no weight matrix; ") && strings.Contains(n, "graph.Problem.Pairs")
				})
				if named == paired || len(notes) > 1 {
					t.Errorf("%s, bias of shape %v, paired %v: notes %q", o.Name(), bias, paired, notes)
				}
			}
		}
	}
}

// TestPenaltyIsAUse has weights without factors for a penalty on them in the cost.
func TestPenaltyIsAUse(t *testing.T) {
	for _, o := range []Optimizer{KFAC(0.001), EKFAC(0.001), SINGD(0.0001)} {
		_, err := FromProblem(affine(true, 1, 2), o)
		wantError(t, o.Name(), err, "no Kronecker factors", "a penalty on the weights in the cost is a use too")
	}
}
