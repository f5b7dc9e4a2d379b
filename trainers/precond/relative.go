package precond

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/rule"
)

// RelativeConfig learns the factors of P by the relative gradient. At a step with
// mini-batch B and gradient G it takes a few meta-steps, each with a B' of its own. A
// meta-step looks ahead by a part ε of the update U = P·G. For a block with
// X = BᵀGA, D = S², U = B(D∘X)Aᵀ it computes, in one graph,
//
//	R = ∂/∂U of Q/ε = -∇J_B(θ-εU) - λ_FSD/ε·∇D_F(θ-εU, θ) + λ_WSD·U
//	Z = BᵀRA,  E_B = Z(D∘X)ᵀ + X(D∘Z)ᵀ,  E_A = Zᵀ(D∘X) + Xᵀ(D∘Z)
//
// with E_B = Bᵀ∂(Q/ε)/∂B and E_A = Aᵀ∂(Q/ε)/∂A, scales them by the curvature of Q,
//
//	Ê_ij = 2E_ij/(v_i+v_j),  Ê ← Ê·min(1, 1/(1.2·‖Ê‖₂)),
//
// where v are running averages of the sums over rows (for B) or columns (for A) of
// p = 2D∘X² + |D∘X∘(Z+X)|, and moves
//
//	B ← B - Step·B·Ê_B,  A ← A - Step·A·Ê_A.
//
// S is not learned element by element: every ten meta-steps it takes over the
// lengths of the columns of A and B, which leaves P as it is. So S is an outer product
// s_B·s_Aᵀ, P·G is P_B·G·P_A, and the second product of E_B and E_A is the first one
// transposed and scaled. Diagonal blocks move
// log S by the same rule. ε is the largest part of the update, at most 1, that
// changes the network by TargetFSD; ε = 1 is Eq. 8, ε → 0 is what Theorem 1
// minimises. No matrix is inverted or decomposed.
type RelativeConfig struct {
	Step            float64 `json:"step"`               // above 0, below 1
	Decay           float64 `json:"decay"`              // of the averages v: at least 0, below 1
	TargetFSD       float64 `json:"target_fsd"`         // 0 stands for a fifth of Trust or, without it, of PlainConfig.Clip
	MetaSteps       int     `json:"meta_steps"`         // at each K-th step, 1 or more
	WarmUp          int     `json:"warm_up"`            // number of first steps that all have meta-steps, 0 or more
	WarmUpMetaSteps int     `json:"warm_up_meta_steps"` // at each of these, 1 or more
	// Trust, where it is not 0, takes the place of PlainConfig.Clip: the radius of a trust
	// region in function space. The update is ν·P·G with the largest ν ≤ 1 whose
	// discrepancy is not above Trust, as meta-steps measured it. Clip predicts the
	// discrepancy from <G, PG>, which noise in G makes too large.
	Trust float64 `json:"trust,omitempty"`
}

// RelativeSteps has the settings found to work on small regression nets and
// autoencoders: steps of 0.1, averages of 0.99, five meta-steps at each K-th
// step, and ten at each of the first ten steps.
func RelativeSteps() *RelativeConfig {
	return &RelativeConfig{Step: 0.1, Decay: 0.99, MetaSteps: 5, WarmUp: 10, WarmUpMetaSteps: 10}
}

// mostMetaSteps is how many meta-steps a step may have: the inputs of as many
// mini-batches are kept.
const mostMetaSteps = 10000

func (r *RelativeConfig) validate(c *PlainConfig) error {
	if c.FullMatrix || c.MomentumMode == MomentumGradient {
		return errors.Errorf("trainers: %s: neither a full matrix nor momentum of the gradient (momentum_mode grad) goes with the relative gradient", c.Name())
	}
	for _, n := range []struct {
		field        string
		value, least int
	}{{"meta_steps", r.MetaSteps, 1}, {"warm_up", r.WarmUp, 0}, {"warm_up_meta_steps", r.WarmUpMetaSteps, 1}} {
		if n.value < n.least {
			return errors.Errorf("trainers: %s: %s is %d: it must be %d or more", c.Name(), n.field, n.value, n.least)
		}
		if n.field != "warm_up" && n.value > mostMetaSteps {
			return errors.Errorf("trainers: %s: %s is %d: it must be at most %d", c.Name(), n.field, n.value, mostMetaSteps)
		}
	}
	return rule.FirstFailed(c.Name(), rule.NotNegative("target_fsd", r.TargetFSD), rule.NotNegative("trust", r.Trust),
		rule.Require("clip", c.Clip, c.Clip > 0 || r.TargetFSD > 0 || r.Trust > 0, "positive where target_fsd and trust are 0"), rule.Fraction("decay", r.Decay),
		rule.Require("step", r.Step, r.Step > 0 && r.Step < 1, "above 0 and below 1"))
}
