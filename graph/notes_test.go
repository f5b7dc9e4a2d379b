package graph_test

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// TestProbabilitiesAsOutput has a note where the divergence takes logits and Output is
// probabilities.
func TestProbabilitiesAsOutput(t *testing.T) {
	for _, c := range []struct {
		name, want string
		divergence graph.Divergence
		output     func(z *gorgonia.Node) *gorgonia.Node
	}{
		{"SoftMax", "softmax", graph.CategoricalKL, func(z *gorgonia.Node) *gorgonia.Node { return must(gorgonia.SoftMax(z)) }},
		{"SoftMax, reverse", "softmax", graph.CategoricalReverseKL, func(z *gorgonia.Node) *gorgonia.Node { return must(gorgonia.SoftMax(z, 1)) }},
		{"softmax by hand", "softmax", graph.CategoricalKL, func(z *gorgonia.Node) *gorgonia.Node {
			e := exp(z)
			return must(gorgonia.BroadcastHadamardDiv(e, must(gorgonia.Reshape(sum(e, 1), tensor.Shape{4, 1})), nil, []byte{1}))
		}},
		{"sigmoid", "sigmoid", graph.BernoulliKL, sigmoid},
		{"SoftMax, squared", "", graph.HalfSquared, func(z *gorgonia.Node) *gorgonia.Node { return must(gorgonia.SoftMax(z)) }},
		{"sigmoid, squared", "", graph.HalfSquared, sigmoid},
		{"LogSoftMax", "", graph.CategoricalKL, func(z *gorgonia.Node) *gorgonia.Node { return must(gorgonia.LogSoftMax(z)) }},
		{"logits", "", graph.CategoricalKL, func(z *gorgonia.Node) *gorgonia.Node { return z }},
	} {
		for _, o := range []trainers.Optimizer{trainers.SGD(0.1), trainers.Precond(0.1)} {
			u := newUser(pattern{name: c.name, build: func(u *user) (out, cost *gorgonia.Node) {
				return u.mse(c.output(product(u.x(4, 3), u.w(3, 2))))
			}}, tensor.Float64)
			tr, err := trainers.FromProblem(u.problem, o, trainers.FSD(1, c.divergence))
			must0(t, err)
			notes := strings.Join(tr.Notes(), "\n")
			want := "Output is the " + c.want + " of A × B (node 2, shape (4, 2)) with x0 and w0, but the divergence " + c.divergence.Name + " takes logits"
			if strings.Contains(notes, want) != (c.want != "") || strings.Count(notes, "takes logits") > 1 {
				t.Errorf("%s, %s: notes %q", c.name, o.Name(), notes)
			}
		}
	}
}
