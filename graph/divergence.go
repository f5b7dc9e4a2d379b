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

// The divergences that match the losses. Both directions of KL have the Fisher
// matrix as Hessian at θ' = θ, so Theorem 1 holds for either.
var (
	// CategoricalKL is KL(p_θ ‖ p_θ') of softmax outputs.
	CategoricalKL = Divergence{"categorical-kl", apoops.CategoricalKL}
	// CategoricalReverseKL is KL(p_θ' ‖ p_θ) of softmax outputs.
	CategoricalReverseKL = Divergence{"categorical-reverse-kl", apoops.CategoricalReverseKL}
	// BernoulliKL is KL(p_θ ‖ p_θ'), summed over independent logistic outputs.
	BernoulliKL = Divergence{"bernoulli-kl", apoops.BernoulliKL}
	// BernoulliReverseKL is KL(p_θ' ‖ p_θ), summed over independent logistic
	// outputs.
	BernoulliReverseKL = Divergence{"bernoulli-reverse-kl", apoops.BernoulliReverseKL}
	// HalfSquared is ½‖f(x~,θ') - f(x~,θ)‖².
	HalfSquared = Divergence{"half-squared", apoops.SquaredDivergence}
)
