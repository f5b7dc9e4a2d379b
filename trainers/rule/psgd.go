package rule

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// PSGDKronConfig is PSGD with a Kronecker-factored preconditioner (Li 2018, 2022, 2024) that
// whitens the momentum, with the settings of the widely used program kron_torch. For a weight
// matrix, its bias the last row, with the gradient G, after t steps,
//
//	M ← Momentum·M + (1-Momentum)·G,  M' = M/(1-Momentum^t)
//	A = Q_L·(M' + 2^-11.5·mean|M'|·V)·Q_Rᵀ,  B = Q_L⁻ᵀ·V·Q_R⁻¹,  V drawn from N(0, 1)
//	Q_L ← Q_L - PrecondLR·triu(A·Aᵀ - B·Bᵀ)·Q_L/‖A·Aᵀ + B·Bᵀ‖
//	Q_R ← Q_R - PrecondLR·triu(Aᵀ·A - Bᵀ·B)·Q_R/‖Aᵀ·A + Bᵀ·B‖
//	U = Q_Lᵀ·Q_L·M'·Q_Rᵀ·Q_R
//	d = min(1, MaxRMS/rms(U))·U + WeightDecay·W
//	W ← W - η·d
//
// Q_L and Q_R are upper triangular and begin at I. Their steps go down E[tr(A·Aᵀ) +
// tr(B·Bᵀ)], whose minimum has the covariance of U at I. The norm is the largest eigenvalue,
// from below by power iteration. The factor of a side of more than MaxDim, or of a single
// row or column, is diagonal: of the differences the diagonal is left, and the norm is the
// largest element of the sum. Other parameters have one diagonal factor and no weight decay.
//
// The factors move at step t with probability exp(-Anneal·(t-1-FlatSteps)), at least
// MinProbability and at most 1, all at the same steps. At such a step, with probability
// Balance, both factors of a matrix first get the same largest element. A matrix
// whose momentum is 0 keeps its factors. So does one whose products overflow, which is
// counted (Trainer.Fallbacks). Where APO learns rates, φ is log η. Make it with PSGDKron.
type PSGDKronConfig struct {
	OptimizerBase
	LR             float64 `json:"lr"`
	Momentum       float64 `json:"momentum"`        // at least 0, below 1
	PrecondLR      float64 `json:"precond_lr"`      // above 0, below 1
	MinProbability float64 `json:"min_probability"` // above 0, at most 1
	Anneal         float64 `json:"anneal"`          // 0 or more
	FlatSteps      int     `json:"flat_steps"`      // 0 or more
	Balance        float64 `json:"balance"`         // at least 0, at most 1
	MaxRMS         float64 `json:"max_rms"`         // 0 for no limit
	WeightDecay    float64 `json:"weight_decay"`
	MaxDim         int     `json:"max_dim"` // 0 for no limit
}

var _ Optimizer = (*PSGDKronConfig)(nil)

// PSGDKron has the settings of kron_torch: momentum 0.9, factors at a rate of 0.1, all steps
// for 500 and then ever fewer, e times every 1000 steps, down to 3 %, balanced at 1 % of
// them, rms at most 1.1, sides of at most 8192, no weight decay. Its rate is 3e-4.
func PSGDKron(lr float64) *PSGDKronConfig {
	return &PSGDKronConfig{
		LR: lr, Momentum: 0.9, PrecondLR: 0.1, MinProbability: 0.03, Anneal: 1e-3, FlatSteps: 500, Balance: 0.01, MaxRMS: 1.1, MaxDim: 8192,
	}
}

// Name implements Optimizer.
func (c *PSGDKronConfig) Name() string { return "psgd-kron" }

// LearningRate implements Optimizer.
func (c *PSGDKronConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *PSGDKronConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("momentum", c.Momentum),
		Require("precond_lr", c.PrecondLR, c.PrecondLR > 0 && c.PrecondLR < 1, "above 0 and less than 1"),
		Require("min_probability", c.MinProbability, c.MinProbability > 0 && c.MinProbability <= 1, "above 0 and at most 1"),
		NotNegative("anneal", c.Anneal), NotNegative("flat_steps", float64(c.FlatSteps)),
		Require("balance", c.Balance, c.Balance >= 0 && c.Balance <= 1, "at least 0 and at most 1"), NotNegative("max_rms", c.MaxRMS),
		NotNegative("weight_decay", c.WeightDecay), NotNegative("max_dim", float64(c.MaxDim)))
}

// Start implements Optimizer.
func (c *PSGDKronConfig) Start(t *Task) (Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startPSGDKron[float32], startPSGDKron[float64])
	if err != nil {
		return nil, err
	}
	return start(c, t), nil
}
