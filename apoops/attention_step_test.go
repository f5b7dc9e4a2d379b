package apoops

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestAttentionStep compares with attention of the last position to all: the keys are
// the earlier ones and, behind them, the new one.
func TestAttentionStep(t *testing.T) {
	const n, capacity, heads, d = 3, 5, 2, 6
	rng := rand.New(rand.NewPCG(73, 1))
	lengths := []int{5, 0, 2}
	in := []*tensor.Dense{randn(rng, n, d), randn(rng, n, d), randn(rng, n, d), randn(rng, n*capacity, d), randn(rng, n*capacity, d),
		tensor.New(tensor.WithShape(n), tensor.WithBacking(lengths))}
	opTest{
		name:   "attention step",
		inputs: in,
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			return AttentionStep(in[0], in[1], in[2], in[3], in[4], in[5], heads)
		},
		want: func(in [][]float64) (y []float64) {
			for i, l := range lengths {
				c := attentionCase{n: 1, queries: 1, keys: l + 1, heads: heads, width: d}
				all := func(earlier, added []float64) []float64 {
					return append(slices.Clone(earlier[i*capacity*d:(i*capacity+l)*d]), added[i*d:(i+1)*d]...)
				}
				ones := slices.Repeat([]float64{1}, heads*(l+1))
				y = append(y, c.want(ones)([][]float64{in[0][i*d : (i+1)*d], all(in[3], in[1]), all(in[4], in[2])})...)
			}
			return y
		},
	}.run(t)
	g := gorgonia.NewGraph()
	nodes := make(gorgonia.Nodes, len(in))
	for i, v := range in {
		nodes[i] = inputNode(g, v, tensor.Float64, string(rune('a'+i)))
	}
	step := func(change func(in gorgonia.Nodes), heads int) error {
		in := slices.Clone(nodes)
		change(in)
		_, err := AttentionStep(in[0], in[1], in[2], in[3], in[4], in[5], heads)
		return err
	}
	for what, err := range map[string]error{
		"no lengths":     step(func(in gorgonia.Nodes) { in[5] = nil }, 2),
		"float lengths":  step(func(in gorgonia.Nodes) { in[5] = inputNode(g, randn(rng, n), tensor.Float64, "l") }, 2),
		"four heads":     step(func(gorgonia.Nodes) {}, 4),
		"longer k":       step(func(in gorgonia.Nodes) { in[1] = in[3] }, 2),
		"no values":      step(func(in gorgonia.Nodes) { in[4] = nil }, 2),
		"too few values": step(func(in gorgonia.Nodes) { in[4] = in[0] }, 2),
	} {
		if err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	node, err := AttentionStep(nodes[0], nodes[1], nodes[2], nodes[3], nodes[4], nodes[5], heads)
	if err != nil {
		t.Fatal(err)
	}
	lengths[1] = capacity + 1
	values := make([]gorgonia.Value, len(in))
	for i, v := range in {
		values[i] = v
	}
	if _, err := node.Op().Do(values...); err == nil {
		t.Error("more earlier positions than there are were accepted")
	}
}
