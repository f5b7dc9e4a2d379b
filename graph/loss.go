package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

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
	// Sample draws targets for outputs y from the distribution whose negative
	// log-likelihood the loss is: what KFAC and EKFAC need for the Fisher matrix.
	// nil where the loss is none.
	Sample Sampler
	// Likelihood is the negative log-likelihood of targets that Sample draws, where
	// Build is another loss, such as one with smoothed labels. nil: Build.
	Likelihood func(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error)
	// Count is the number of terms that the loss of a batch is the mean of, such as the
	// tokens of sentences: the weight of the batch in the mean over a set. nil: the
	// number of examples.
	Count func(b Batch) int
	// Counts reports whether a target, the number of a class, counts in the accuracy,
	// as padding does not. nil: all do.
	Counts func(target int) bool
	// Soft says that targets are N×C rows with a number for each class. For the accuracy
	// the label of a row is its largest number; rows of zeros do not count.
	Soft bool
}

// Sampler builds targets drawn from the distribution that the outputs y on the inputs x
// describe. The draws depend on the seed and step of noise.
type Sampler func(y *gorgonia.Node, x gorgonia.Nodes, noise *apoops.Random) (gorgonia.Nodes, error)

// The distributions of the losses, each of one target array.
var (
	// CategoricalTargets are classes with the probabilities softmax(y), as numbers of
	// tensor.Int. A Problem whose target has one-hot rows gets such.
	CategoricalTargets Sampler = oneSample(apoops.SampleCategorical)
	// BernoulliTargets are 0 or 1 with the probabilities σ(y).
	BernoulliTargets Sampler = oneSample(apoops.SampleBernoulli)
	// NormalTargets are N(y, 1).
	NormalTargets Sampler = oneSample(apoops.SampleNormal)
)

// The losses, each the mean over the batch of a sum over the outputs.
var (
	// SoftmaxCrossEntropy takes logits N×C and an N-vector of tensor.Int class
	// numbers. Its divergence is KL(p_θ ‖ p_θ').
	SoftmaxCrossEntropy = Loss{Name: "softmax-cross-entropy", Build: classes(true, apoops.SoftmaxCrossEntropy), Divergence: CategoricalKL, Sample: CategoricalTargets}
	// SoftCrossEntropy takes logits N×C and N×C targets t ≥ 0, and is the mean of
	// -Σ_j t_j·ln softmax(y)_j: for one-hot rows, smoothed labels or a teacher's probabilities.
	// The rows need not add up to 1: one-hot rows times the weights of the classes or examples
	// weigh them. The mean is over all N examples, whatever they weigh.
	SoftCrossEntropy = Loss{
		Name: "soft-cross-entropy", Build: classes(false, apoops.SoftCrossEntropy), Divergence: CategoricalKL,
		Sample: CategoricalTargets, Likelihood: oneTarget(apoops.SoftmaxCrossEntropy), Soft: true,
	}
	// BernoulliCrossEntropy takes logits N×D and targets N×D in [0, 1].
	BernoulliCrossEntropy = Loss{Name: "bernoulli-cross-entropy", Build: oneTarget(apoops.BernoulliCrossEntropy), Divergence: BernoulliKL, Sample: BernoulliTargets}
	// SquaredError is ½‖y-t‖² for N×D outputs and targets.
	SquaredError = Loss{Name: "squared-error", Build: oneTarget(apoops.SquaredError), Divergence: HalfSquared, Sample: NormalTargets}
)

func oneTarget(f func(y, t *gorgonia.Node) (*gorgonia.Node, error)) func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) {
	return func(y *gorgonia.Node, t gorgonia.Nodes) (*gorgonia.Node, error) {
		if len(t) != 1 {
			return nil, errors.Errorf("graph: the loss takes one target array, not %d", len(t))
		}
		return f(y, t[0])
	}
}

// classes is oneTarget of a loss on class numbers, or on rows with a number for each class. The
// error of one on the other's targets names it.
func classes(numbers bool, f func(y, t *gorgonia.Node) (*gorgonia.Node, error)) func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) {
	return oneTarget(func(y, t *gorgonia.Node) (*gorgonia.Node, error) {
		loss, err := f(y, t)
		switch is := t.Dtype() == tensor.Int; {
		case err == nil || is == numbers:
			return loss, err
		case is:
			return nil, errors.WithMessage(err, "class numbers are for SoftmaxCrossEntropy")
		}
		return nil, errors.WithMessage(err, "rows with a number for each class are for SoftCrossEntropy")
	})
}

func oneSample(f drawing) Sampler {
	return func(y *gorgonia.Node, _ gorgonia.Nodes, noise *apoops.Random) (gorgonia.Nodes, error) {
		t, err := f(y, noise)
		return gorgonia.Nodes{t}, err
	}
}
