package graph

import (
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Divergence is an output-space divergence ρ(f(x~,θ'), f(x~,θ)) of Eq. 3,
// averaged over the batch. Build takes the model's outputs (logits) at θ, old,
// and at θ', moved, and the inputs x that both are computed from, which may say what
// counts, such as the tokens of sentences that are padded. It returns a scalar whose
// gradient reaches moved alone.
type Divergence struct {
	Name  string
	Build func(old, moved *gorgonia.Node, x gorgonia.Nodes) (*gorgonia.Node, error)
	// Probe draws a direction q of the outputs y on the inputs x, of the shape of y, such
	// that E qqᵀ is the Hessian of Build(y, y', x) by y' at y' = y (of the mean over the
	// batch): what the rows of a Probe are made of. No gradient goes through q. nil where
	// there is none: then targets are drawn instead, by the Sample of the loss.
	Probe func(y *gorgonia.Node, x gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error)
	// Count is the number of terms that the divergence on inputs x is the mean of, as
	// Loss.Count. nil: the number of examples.
	Count func(x []*tensor.Dense) int
}

// comparison builds a divergence that looks at the outputs alone, discrepancy one that
// may look at the inputs.
type (
	comparison  = func(old, moved *gorgonia.Node) (*gorgonia.Node, error)
	discrepancy = func(old, moved *gorgonia.Node, x gorgonia.Nodes) (*gorgonia.Node, error)
)

// ofClasses has f take logits of any shape for rows of classes: those of one example
// are one row, of N×T×C there are N·T of them.
func ofClasses(f comparison) discrepancy {
	return func(old, moved *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		if old == nil || moved == nil || old.Dims() == 2 {
			return f(old, moved)
		}
		return reshaped(f, old, moved, classRows(old)...)
	}
}

// classRows is the shape N×C of logits whose last axis counts classes.
func classRows(y *gorgonia.Node) []int {
	classes := 1
	if y.Dims() > 0 {
		classes = y.Shape()[y.Dims()-1]
	}
	return []int{y.Shape().TotalSize() / max(classes, 1), classes}
}

// ofExamples has f take a number for the output of one example.
func ofExamples(f comparison) discrepancy {
	return func(old, moved *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		if old == nil || moved == nil || old.Dims() > 0 {
			return f(old, moved)
		}
		return reshaped(f, old, moved, 1)
	}
}

func reshaped(f comparison, old, moved *gorgonia.Node, shape ...int) (*gorgonia.Node, error) {
	old, err := apoops.Reshape(old, shape...)
	if err != nil {
		return nil, err
	}
	if moved, err = apoops.Reshape(moved, shape...); err != nil {
		return nil, err
	}
	return f(old, moved)
}

// drawing builds a draw that looks at the outputs alone, prober one that may look at the
// inputs.
type (
	drawing = func(y *gorgonia.Node, noise *apoops.Random) (*gorgonia.Node, error)
	prober  = func(y *gorgonia.Node, x gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error)
)

// probeClasses has f take logits as ofClasses does.
func probeClasses(f drawing) prober {
	return func(y *gorgonia.Node, _ gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error) {
		return probeAs(f, y, noise, classRows(y))
	}
}

// probeExamples has f take outputs as ofExamples does.
func probeExamples(f drawing) prober {
	return func(y *gorgonia.Node, _ gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error) {
		if y.Dims() > 0 {
			return f(y, noise)
		}
		return probeAs(f, y, noise, []int{1})
	}
}

// probeAs draws for outputs in another shape.
func probeAs(f drawing, y *gorgonia.Node, noise *apoops.Random, shape []int) (*gorgonia.Node, error) {
	if slices.Equal(y.Shape(), shape) {
		return f(y, noise)
	}
	q, err := apoops.Reshape(y, shape...)
	if err == nil {
		q, err = f(q, noise)
	}
	if err != nil {
		return nil, err
	}
	return apoops.Reshape(q, y.Shape()...)
}

// The divergences that match the losses. Both directions of KL have the Fisher
// matrix as Hessian at θ' = θ, so Theorem 1 holds for either.
var (
	// CategoricalKL is KL(p_θ ‖ p_θ') of softmax outputs.
	CategoricalKL = Divergence{Name: "categorical-kl", Build: ofClasses(apoops.CategoricalKL), Probe: probeClasses(apoops.ProbeCategorical)}
	// CategoricalReverseKL is KL(p_θ' ‖ p_θ) of softmax outputs.
	CategoricalReverseKL = Divergence{Name: "categorical-reverse-kl", Build: ofClasses(apoops.CategoricalReverseKL), Probe: probeClasses(apoops.ProbeCategorical)}
	// BernoulliKL is KL(p_θ ‖ p_θ'), summed over independent logistic outputs.
	BernoulliKL = Divergence{Name: "bernoulli-kl", Build: ofExamples(apoops.BernoulliKL), Probe: probeExamples(apoops.ProbeBernoulli)}
	// BernoulliReverseKL is KL(p_θ' ‖ p_θ), summed over independent logistic
	// outputs.
	BernoulliReverseKL = Divergence{Name: "bernoulli-reverse-kl", Build: ofExamples(apoops.BernoulliReverseKL), Probe: probeExamples(apoops.ProbeBernoulli)}
	// HalfSquared is ½‖f(x~,θ') - f(x~,θ)‖².
	HalfSquared = Divergence{Name: "half-squared", Build: ofExamples(apoops.SquaredDivergence), Probe: probeExamples(apoops.ProbeSquared)}
)

// probeOf is Source.BuildProbe of a source with the given divergence and sampler.
func probeOf(s Source, d Divergence, sample Sampler, p *Pass, x, theta gorgonia.Nodes, noise *apoops.Random) (objective, q *gorgonia.Node, err error) {
	if len(x) == 0 || x[0].Dims() == 0 {
		return nil, nil, ErrShape.Errorf("graph: probe: no input with a first axis for the examples")
	}
	examples := float64(examplesOf(s, x[0].Shape()[0]))
	if d.Probe == nil {
		if sample == nil {
			return nil, nil, ErrNoProbe.Errorf("graph: divergence %s: there is neither a Probe of the divergence nor a Sample of the loss", d.Name)
		}
		loss, err := s.BuildSampledLoss(p, x, theta, noise)
		if err != nil {
			return nil, nil, err
		}
		objective, err = apoops.Times(loss, examples)
		return objective, nil, err
	}
	y, err := s.BuildOutput(p, x, theta)
	if err != nil {
		return nil, nil, err
	}
	q, err = d.Probe(y, x, noise)
	if q, err = built(q, err, "probe of divergence "+d.Name); err != nil {
		return nil, nil, err
	}
	if !apoops.SameShape(q.Shape(), y.Shape()) || q.Dtype() != y.Dtype() {
		return nil, nil, ErrShape.Errorf("graph: probe of divergence %s has shape %v, the outputs %v", d.Name, q.Shape(), y.Shape())
	}
	objective, err = apoops.InnerProduct(y, q, math.Sqrt(examples))
	return objective, q, err
}
