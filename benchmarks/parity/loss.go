package parity

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// readLoss makes the loss with the divergence in the fixture's direction. A fixture
// without a function-space term need not have a direction.
func readLoss(top object) graph.Loss {
	var loss graph.Loss
	var reverse graph.Divergence
	switch name := top.text("loss"); name {
	case "mse":
		return graph.SquaredError
	case "ce":
		loss, reverse = graph.SoftmaxCrossEntropy, graph.CategoricalReverseKL
	case "bce":
		loss, reverse = graph.BernoulliCrossEntropy, graph.BernoulliReverseKL
	default:
		top.fail("loss", "is %q: it must be mse, ce or bce", name)
		return loss
	}
	if !top.has("fsd_direction") && (!top.has("lambda_fsd") || top.number("lambda_fsd") == 0) {
		return loss
	}
	switch direction := top.text("fsd_direction"); direction {
	case "old_new":
	case "new_old":
		loss.Divergence = reverse
	default:
		top.fail("fsd_direction", "is %q: it must be old_new or new_old", direction)
	}
	return loss
}

// readTargets reads the targets of a step for the loss from the field key.
func readTargets(o object, key, loss string, rows, outputs int) *tensor.Dense {
	if loss == "ce" {
		classes := make([]int, rows)
		for i, v := range o.array(key, rows) {
			n, ok := wholeNumber(v)
			if !ok || n >= outputs {
				o.fail(key, "has %v at %d: the classes are 0 to %d", v, i, outputs-1)
			}
			classes[i] = n
		}
		return tensor.New(tensor.WithShape(rows), tensor.WithBacking(classes))
	}
	t := o.array(key, rows, outputs)
	for _, v := range t {
		if loss == "bce" && (v < 0 || v > 1) {
			o.fail(key, "has %v: the targets of bce are between 0 and 1", v)
		}
	}
	return array(t, tensor.Shape{rows, outputs})
}
