package trainers

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// userLayer is a user's layer of one function.
type userLayer struct {
	specs []layers.Spec
	apply func(x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error)
}

func (userLayer) Kind() string                     { return "mine" }
func (l userLayer) Params() ([]layers.Spec, error) { return l.specs, nil }
func (l userLayer) Apply(_ *graph.Pass, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return l.apply(x, theta)
}

// of is a user's layer without parameters.
func of(apply func(x *gorgonia.Node) (*gorgonia.Node, error)) userLayer {
	return userLayer{apply: func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return apply(x) }}
}

// behind is a net with a layer in its middle.
func behind(l layers.Layer) *layers.Model {
	return layers.Sequential(layers.Dense(4, 5, apoops.TanhAct), l, layers.Dense(5, 3, apoops.Identity))
}

// TestLayersThatFailInNew have settings that are wrong before there is a batch.
func TestLayersThatFailInNew(t *testing.T) {
	made := func(l layers.Layer) func() error {
		return func() error { return errorOf(New(behind(l), graph.SoftmaxCrossEntropy, SGD(0.1))) }
	}
	identity := func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return x, nil }
	refuseAll(t, []badInput{
		{"dropout of all", made(layers.Dropout(1)), "layer 1 (dropout)|rate of 1"},
		{"dropout below 0", made(layers.Dropout(-0.5)), "layer 1 (dropout)|rate of -0.5"},
		{"dropout of NaN", made(layers.Dropout(math.NaN())), "layer 1 (dropout)|NaN"},
		{"dropout of all in a branch", made(layers.Residual(layers.Flatten(), layers.Dropout(1))), "residual1/layer 1 (dropout)|rate of 1"},
		{"a parameter without a shape", made(userLayer{[]layers.Spec{{Init: layers.Zeros()}}, identity}), "mine1|Shape is missing"},
		{"a parameter of no axis", made(userLayer{[]layers.Spec{{Shape: tensor.ScalarShape(), Init: layers.Zeros()}}, identity}), "mine1|empty|(1)"},
	})
}

// TestLayerThatReturnsNothing is named itself, not the layer behind it.
func TestLayerThatReturnsNothing(t *testing.T) {
	tr, err := New(behind(of(func(*gorgonia.Node) (*gorgonia.Node, error) { return nil, nil })), graph.SoftmaxCrossEntropy, SGD(0.1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = tr.Step(rowsOf(toyData(t, tensor.Float32), 0, 12))
	wantError(t, "no node", err, "step 0", "layer 1 (mine): it returned neither a node nor an error")
}
