package group

import (
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"dense0", "dense0", true}, {"dense0", "dense01", false}, {"*", "decoder/block0/norm1/gain", true}, {"*/gain", "decoder/block0/norm1/gain", true},
		{"decoder/*", "encoder/block0", false}, {"*norm?/*", "decoder/block0/norm1/gain", true}, {"dense[02]", "dense1", false}, {"a?b", "a/b", true},
	} {
		if got, err := matches(c.pattern, c.name); err != nil || got != c.want {
			t.Errorf("%q of %q: %v, %v", c.pattern, c.name, got, err)
		}
	}
}

// TestWeights has what weight decay leaves out.
func TestWeights(t *testing.T) {
	for name, c := range map[string]struct {
		p      graph.Param
		shape  []int
		matrix bool
		want   int
	}{
		"dense":             {p: graph.Param{Matrix: true, Bias: true, Kind: "dense"}, shape: []int{5, 3}, want: 12},
		"one input":         {p: graph.Param{Matrix: true, Kind: "dense"}, shape: []int{1, 3}, want: 3},
		"without bias":      {p: graph.Param{Matrix: true, Kind: "dense"}, shape: []int{5, 3}, want: 15},
		"scale":             {p: graph.Param{Kind: "bn"}, shape: []int{7}, want: 0},
		"scalar":            {p: graph.Param{}, shape: []int{1}, want: 0},
		"table":             {p: graph.Param{Kind: "embedding"}, shape: []int{9, 4}, want: 36},
		"user's weights":    {p: graph.Param{Matrix: true}, shape: []int{5, 1}, want: 5},
		"user's bias":       {p: graph.Param{Matrix: true}, shape: []int{1, 5}, want: 0},
		"filters":           {p: graph.Param{}, shape: []int{1, 1, 1, 4}, matrix: true, want: 4},
		"scale of channels": {p: graph.Param{}, shape: []int{1, 6, 1, 1}, want: 0},
	} {
		c.p.Value = tensor.New(tensor.WithShape(c.shape...), tensor.Of(tensor.Float32))
		if got := weights(&c.p, c.matrix); got != c.want {
			t.Errorf("%s: %d elements have weight decay, want %d", name, got, c.want)
		}
	}
}

func TestHasDecay(t *testing.T) {
	bare := rule.AdamW(1)
	bare.WeightDecay = 0
	for o, want := range map[rule.Optimizer]bool{rule.Adam(1): false, rule.AdamW(1): true, rule.Mechanic(rule.AdamW(1)): true, rule.Mechanic(bare): false} {
		if got, err := hasDecay(o); err != nil || got != want {
			t.Errorf("%s: %v, %v", o.Name(), got, err)
		}
	}
}
