package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// Loss is a mean loss over a batch, paired with the divergence that measures a
// change of the same outputs.
type Loss struct {
	Name string
	// Build returns the scalar loss of outputs y and targets t.
	Build func(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error)
	// Divergence is the matching output-space divergence.
	Divergence Divergence
}

// The losses, each the mean over the batch of a sum over the outputs.
var (
	// SoftmaxCrossEntropy takes logits N×C and an N-vector of tensor.Int class
	// numbers. Its divergence is KL(p_θ ‖ p_θ').
	SoftmaxCrossEntropy = Loss{"softmax-cross-entropy", oneTarget(apoops.SoftmaxCrossEntropy), CategoricalKL}
	// BernoulliCrossEntropy takes logits N×D and targets N×D in [0, 1].
	BernoulliCrossEntropy = Loss{"bernoulli-cross-entropy", oneTarget(apoops.BernoulliCrossEntropy), BernoulliKL}
	// SquaredError is ½‖y-t‖² for N×D outputs and targets.
	SquaredError = Loss{"squared-error", oneTarget(apoops.SquaredError), HalfSquared}
)

func oneTarget(f func(y, t *gorgonia.Node) (*gorgonia.Node, error)) func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) {
	return func(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error) {
		if len(t) != 1 {
			return nil, errors.Errorf("graph: the loss takes one target array, not %d", len(t))
		}
		return f(y, t[0])
	}
}
