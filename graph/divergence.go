package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// Divergence is an output-space divergence ρ(f(x~,θ'), f(x~,θ)) of Eq. 3,
// averaged over the batch. Build takes the model's outputs (logits) at θ, old,
// and at θ', moved, and returns a scalar whose gradient reaches moved alone.
type Divergence struct {
	Name  string
	Build func(old, moved *gorgonia.Node) (*gorgonia.Node, error)
}

// ofClasses has f take logits of any shape for rows of classes: those of one example
// are one row, of N×T×C there are N·T of them.
func ofClasses(f func(old, moved *gorgonia.Node) (*gorgonia.Node, error)) func(old, moved *gorgonia.Node) (*gorgonia.Node, error) {
	return func(old, moved *gorgonia.Node) (*gorgonia.Node, error) {
		if old == nil || moved == nil || old.Dims() == 2 {
			return f(old, moved)
		}
		classes := 1
		if old.Dims() > 0 {
			classes = old.Shape()[old.Dims()-1]
		}
		return reshaped(f, old, moved, old.Shape().TotalSize()/max(classes, 1), classes)
	}
}

// ofExamples has f take a number for the output of one example.
func ofExamples(f func(old, moved *gorgonia.Node) (*gorgonia.Node, error)) func(old, moved *gorgonia.Node) (*gorgonia.Node, error) {
	return func(old, moved *gorgonia.Node) (*gorgonia.Node, error) {
		if old == nil || moved == nil || old.Dims() > 0 {
			return f(old, moved)
		}
		return reshaped(f, old, moved, 1)
	}
}

func reshaped(f func(old, moved *gorgonia.Node) (*gorgonia.Node, error), old, moved *gorgonia.Node, shape ...int) (*gorgonia.Node, error) {
	old, err := apoops.Reshape(old, shape...)
	if err != nil {
		return nil, err
	}
	if moved, err = apoops.Reshape(moved, shape...); err != nil {
		return nil, err
	}
	return f(old, moved)
}

// The divergences that match the losses. Both directions of KL have the Fisher
// matrix as Hessian at θ' = θ, so Theorem 1 holds for either.
var (
	// CategoricalKL is KL(p_θ ‖ p_θ') of softmax outputs.
	CategoricalKL = Divergence{"categorical-kl", ofClasses(apoops.CategoricalKL)}
	// CategoricalReverseKL is KL(p_θ' ‖ p_θ) of softmax outputs.
	CategoricalReverseKL = Divergence{"categorical-reverse-kl", ofClasses(apoops.CategoricalReverseKL)}
	// BernoulliKL is KL(p_θ ‖ p_θ'), summed over independent logistic outputs.
	BernoulliKL = Divergence{"bernoulli-kl", ofExamples(apoops.BernoulliKL)}
	// BernoulliReverseKL is KL(p_θ' ‖ p_θ), summed over independent logistic
	// outputs.
	BernoulliReverseKL = Divergence{"bernoulli-reverse-kl", ofExamples(apoops.BernoulliReverseKL)}
	// HalfSquared is ½‖f(x~,θ') - f(x~,θ)‖².
	HalfSquared = Divergence{"half-squared", ofExamples(apoops.SquaredDivergence)}
)
