package rule

// HDMHBConfig is hypergradient descent with heavy-ball momentum (HDM-HB; Chu, Gao, Ye & Udell
// 2025): step sizes P, one for each weight, and the momentum β are learned online by AdaGrad
// from the hypergradient feedback
//
//	h(P, β) = (ψ(θ⁺, θ) - ψ(θ, θ⁻))/n,  ψ(θ, θ⁻) = J(θ) + Omega/2·‖θ-θ⁻‖²
//	n = ‖g‖² + Tau/2·‖θ-θ⁻‖²
//
// that the step θ⁺ = θ - P∘g + β·(θ-θ⁻) causes, where θ⁻ are the weights before θ. With the
// gradient g⁺ at θ⁺, e = g⁺ + Omega·(θ⁺-θ) and elements squared, divided and rooted one by one,
//
//	∂h/∂P = -e∘g/n,  S ← S + (∂h/∂P)²,  P ← max(0, P - LR·∂h/∂P/√S)
//	∂h/∂β = <e, θ-θ⁻>/n,  s ← s + (∂h/∂β)²,  β ← β - MomentumLR·∂h/∂β/√s, within [0, MaxMomentum]
//
// and S = s = 0, P = Initial, β = Momentum at first; roots and n have 1e-12 added. With Scalar
// P and S are numbers, and ∂h/∂P is -<e, g>/n.
//
// With NullSteps θ⁺ is taken only where J(θ⁺) < J(θ), as in the paper, which has no
// mini-batches. Else the next step begins at θ again, with its g and without momentum, but
// with the P and β that θ⁺ has taught. The losses of two mini-batches cannot be compared so:
// NullSteps are for full batches, and not for meta-optimizers, which have no losses. Without
// them each θ⁺ is taken, and g⁺ is of the next mini-batch, as in the hypergradient descent of
// 2018 (SGDHD). In either case a step has one gradient.
//
// The authors' program begins with LR = 0.1 where the smoothness L of the loss is not known,
// and moves LR to 1/L, Tau to L²/2 when it has measured L; here they stay. A schedule
// multiplies the whole step, the return to θ excepted. Where APO learns rates as well
// (K > 0), so does η/LR. Make it with HDMHB.
type HDMHBConfig struct {
	OptimizerBase
	LR          float64 `json:"lr"`           // of P
	MomentumLR  float64 `json:"momentum_lr"`  // of β, 0 or more
	Initial     float64 `json:"initial"`      // 0 or more
	Momentum    float64 `json:"momentum"`     // at least 0, below 1
	MaxMomentum float64 `json:"max_momentum"` // at least 0, below 1
	Omega       float64 `json:"omega"`        // 0 or more
	Tau         float64 `json:"tau"`          // 0 or more
	Scalar      bool    `json:"scalar"`
	NullSteps   bool    `json:"null_steps"`
	WeightDecay float64 `json:"weight_decay"` // L2 penalty, 0 or more
}

var _ Optimizer = (*HDMHBConfig)(nil)

// HDMHB has the settings of the authors' program: P = 0 and β = 0.95 at first, β at most 0.9995
// and moved by AdaGrad at a rate of 1, ω = τ = 0. It has no null steps.
func HDMHB(lr float64) *HDMHBConfig {
	return &HDMHBConfig{LR: lr, MomentumLR: 1, Momentum: 0.95, MaxMomentum: 0.9995}
}

// Name implements Optimizer.
func (c *HDMHBConfig) Name() string { return "hdm-hb" }

// LearningRate implements Optimizer.
func (c *HDMHBConfig) LearningRate() float64 { return c.LR }

// Defaults implements Optimizer: P is learned by hypergradients, so K is 0.
func (c *HDMHBConfig) Defaults() Defaults { return withoutMetaSteps() }

// Validate implements Optimizer.
func (c *HDMHBConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), NotNegative("momentum_lr", c.MomentumLR), NotNegative("initial", c.Initial),
		Fraction("momentum", c.Momentum), Fraction("max_momentum", c.MaxMomentum), NotNegative("omega", c.Omega), NotNegative("tau", c.Tau),
		NotNegative("weight_decay", c.WeightDecay))
}

// Start implements Optimizer.
func (c *HDMHBConfig) Start(t *Task) (Rule, error) {
	return startSummed(t, c.LR, newHeavyBall[float32](c), newHeavyBall[float64](c))
}
