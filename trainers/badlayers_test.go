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

// TestGorgoniasRandomOps has them in layers and losses: they would draw in evaluation too.
func TestGorgoniasRandomOps(t *testing.T) {
	data := toyData(t, tensor.Float32)
	step := func(m graph.Model, loss graph.Loss) func() error {
		return func() error {
			tr, err := New(m, loss, Adam(0.01), EveryK(0))
			if err == nil {
				_, err = tr.Step(rowsOf(data, 0, 12))
			}
			return err
		}
	}
	dropout := func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Dropout(x, 0.5) }
	noise := func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return gorgonia.Add(x, gorgonia.GaussianRandomNode(x.Graph(), x.Dtype(), 0, 1, x.Shape()...))
	}
	noisy := graph.SoftmaxCrossEntropy
	noisy.Build = func(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error) {
		y, err := noise(y)
		if err != nil {
			return nil, err
		}
		return graph.SoftmaxCrossEntropy.Build(y, t)
	}
	refuseAll(t, []badInput{
		{"dropout in a layer", step(behind(of(dropout)), graph.SoftmaxCrossEntropy), "step 0|layer 1 (mine)|gorgonia.Dropout|apoops.Dropout"},
		{"noise in a layer", step(behind(of(noise)), graph.SoftmaxCrossEntropy), "step 0|layer 1 (mine)|random node of Gorgonia|apoops.Dropout"},
		{"dropout in a branch", step(behind(layers.Residual(of(dropout))), graph.SoftmaxCrossEntropy), "layer 1 (residual)/layer 0 (mine)|apoops.Dropout"},
		{"noise in a loss", step(behind(layers.Flatten()), noisy), "step 0|random node of Gorgonia"},
		{"dropout in a graph of results", func() error {
			params, err := behind(layers.Flatten()).Init(1, tensor.Float32)
			if err != nil {
				return err
			}
			return errorOf(graph.NewForward(params, rowsOf(data, 0, 12).X, func(p *graph.Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
				y, err := gorgonia.Dropout(x[0], 0.5)
				return gorgonia.Nodes{y}, err
			}))
		}, "gorgonia.Dropout|apoops.Dropout"},
	})
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
