package main

import (
	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the backend in Go
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/train"
	"github.com/gomlx/gomlx/ml/train/loss"
)

// newGoMLX trains with GoMLX's Trainer on its backend in Go, with the given options.
func newGoMLX(t *task, options string) (step stepper, library, products string, err error) {
	backend, err := compute.NewWithConfig("go:" + options)
	if err != nil {
		return nil, "", "", err
	}
	trainer := train.NewTrainer(backend, model.NewStore(), t.goMLXNet, loss.SparseCategoricalCrossEntropyLogits, momentumSGD{}, nil, nil)
	classes := make([]int32, len(t.classes))
	for i, c := range t.classes {
		classes[i] = int32(c)
	}
	return func() (float64, error) {
		// A step frees the arrays of its batch.
		metrics, err := trainer.TrainStep(train.Batch{
			Inputs: []*tensors.Tensor{tensors.FromFlatDataAndDimensions(t.x, t.examples, t.layers[0].in)},
			Labels: []*tensors.Tensor{tensors.FromFlatDataAndDimensions(classes, t.examples, 1)},
		})
		if err != nil {
			return 0, err
		}
		value := float64(tensors.ToScalar[float32](metrics[0]))
		for _, m := range metrics {
			if err := m.FinalizeAll(); err != nil {
				return 0, err
			}
		}
		return value, nil
	}, version("github.com/gomlx/gomlx"), "Go" + experiments(), nil
}

// goMLXNet is the net. Weights are out×in: the backend's products and the gradients of
// package graph need no transposed copies of them then. Products and sums are nodes of
// their own: the backend would compute a fused layer again for the backward pass.
func (t *task) goMLXNet(scope *model.Scope, x *graph.Node) *graph.Node {
	g := x.Graph()
	for i, l := range t.layers {
		layer := scope.In("layer%d", i)
		w := layer.VariableWithValue("weights", tensors.FromFlatDataAndDimensions(l.transposed(), l.out, l.in))
		b := layer.VariableWithValue("biases", tensors.FromFlatDataAndDimensions(l.biases, 1, l.out))
		x = graph.Add(graph.DotGeneral(x, []int{1}, nil, w.NodeValue(g), []int{1}, nil), b.NodeValue(g))
		if i < len(t.layers)-1 {
			x = relu(x)
		}
	}
	return x
}

// relu is the positive part of x. That of package activation is a maximum, whose gradient
// takes more passes over the array.
func relu(x *graph.Node) *graph.Node {
	return graph.Where(graph.GreaterThan(x, graph.ScalarZero(x.Graph(), x.DType())), x, graph.ZerosLike(x))
}

// transposed are the weights as out×in.
func (l layer) transposed() []float32 {
	w := make([]float32, len(l.weights))
	for i := range l.in {
		for j := range l.out {
			w[j*l.in+i] = l.weights[i*l.out+j]
		}
	}
	return w
}

// momentumSGD is SGD with momentum, which GoMLX has not: m ← μm + ∇J, w ← w - ηm.
type momentumSGD struct{}

const momentumScope = "/momentum"

// UpdateGraph adds the update of all weights to the graph of the loss.
func (momentumSGD) UpdateGraph(scope *model.Scope, g *graph.Graph, objective *graph.Node) {
	gradients := scope.BuildTrainableVariablesGradientsGraph(objective)
	var weights []*model.Variable
	for v := range scope.IterVariables() {
		if v.Trainable && v.InUseByGraph(g) {
			weights = append(weights, v)
		}
	}
	for i, v := range weights {
		m := scope.Store().VariableWithShape(momentumScope+v.Path(), v.Shape(), initializer.Zero).SetTrainable(false)
		moved := graph.Add(graph.MulScalar(m.NodeValue(g), momentum), gradients[i])
		m.SetNodeValue(moved)
		v.SetNodeValue(graph.Sub(v.NodeValue(g), graph.MulScalar(moved, learningRate)))
	}
}

// Clear deletes the momentum.
func (momentumSGD) Clear(scope *model.Scope) error {
	return scope.Store().DeleteVariablesInScope(momentumScope)
}
