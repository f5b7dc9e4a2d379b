package dropin

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// TestMLP classifies digits as Gorgonia's MNIST example does: a softmax, its
// logarithm, the mean over all elements.
func TestMLP(t *testing.T) {
	compare(t, mlp, gorgonia.NewRMSPropSolver(),
		&rule.RMSpropConfig{LR: 0.001, Decay: 0.999, Eps: 1e-4}, trainers.FSD(0.01, graph.CategoricalKL), trainers.SameBatch())
}

func mlp(t testing.TB, solverFor func(graph.Problem) gorgonia.Solver) float64 {
	images, labels := digits(t)
	rng := newSource(21)
	g := gorgonia.NewGraph()
	x, y := input(g, "x", batchRows, 64), input(g, "y", batchRows, 10)
	w0, b0 := rng.weights(g, "w0", scaled(64), 64, 50), rng.weights(g, "b0", 0, 1, 50)
	w1, b1 := rng.weights(g, "w1", scaled(50), 50, 10), rng.weights(g, "b1", 0, 1, 10)
	params := gorgonia.Nodes{w0, b0, w1, b1}
	logits := affine(must(gorgonia.Rectify(affine(x, w0, b0))), w1, b1)
	out := must(gorgonia.SoftMax(logits))
	logs := must(gorgonia.Log(must(gorgonia.Add(out, gorgonia.NewConstant(1e-9)))))
	cost := must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.HadamardProd(logs, y))))))
	var loss gorgonia.Value
	gorgonia.Read(cost, &loss)
	_, err := gorgonia.Grad(cost, params...)
	check(t, err)
	solver := solverFor(graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: params})
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer vm.Close()
	return train(t, vm, solver, params, &loss, 5*epoch, epoch, func(step int) {
		rows(t, x, images, step%epoch*batchRows)
		rows(t, y, labels, step%epoch*batchRows)
	})
}

// TestConvnet classifies digits with convolutions, pooling, dropout and a
// softmax, as Gorgonia's convnet example does.
func TestConvnet(t *testing.T) {
	compare(t, convnet, gorgonia.NewRMSPropSolver(gorgonia.WithLearnRate(3e-4)),
		&rule.RMSpropConfig{LR: 3e-4, Decay: 0.999, Eps: 1e-4}, trainers.EveryK(4), trainers.FSD(0.01, graph.CategoricalKL), trainers.SameBatch())
}

func convnet(t testing.TB, solverFor func(graph.Problem) gorgonia.Solver) float64 {
	images, labels := digits(t)
	rng := newSource(22)
	g := gorgonia.NewGraph()
	x, y := input(g, "x", batchRows, 1, 8, 8), input(g, "y", batchRows, 10)
	k0, k1 := rng.weights(g, "k0", scaled(9), 8, 1, 3, 3), rng.weights(g, "k1", scaled(72), 12, 8, 3, 3)
	w, b := rng.weights(g, "w", scaled(48), 48, 10), rng.weights(g, "b", 0, 1, 10)
	params := gorgonia.Nodes{k0, k1, w, b}
	layer := func(x, filter *gorgonia.Node) *gorgonia.Node {
		x = must(gorgonia.Conv2d(x, filter, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
		x = must(gorgonia.MaxPool2D(must(gorgonia.Rectify(x)), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
		return must(gorgonia.Dropout(x, 0.2))
	}
	features := must(gorgonia.Reshape(layer(layer(x, k0), k1), tensor.Shape{batchRows, 48}))
	logits := affine(features, w, b)
	logs := must(gorgonia.Log(must(gorgonia.SoftMax(logits))))
	cost := must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.HadamardProd(logs, y))))))
	var loss gorgonia.Value
	gorgonia.Read(cost, &loss)
	_, err := gorgonia.Grad(cost, params...)
	check(t, err)
	solver := solverFor(graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: params})
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer vm.Close()
	return train(t, vm, solver, params, &loss, 4*epoch, epoch, func(step int) {
		rows(t, x, images, step%epoch*batchRows)
		rows(t, y, labels, step%epoch*batchRows)
	})
}
