package rule

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// SOAPConfig is SOAP (Vyas et al. 2024), Adam in the eigenbasis of Shampoo's statistics. For
// a weight matrix, its bias the last row, with the gradient G,
//
//	M ← Beta1·M + (1-Beta1)·G
//	G' = Q_Lᵀ·G·Q_R,  M' = Q_Lᵀ·M·Q_R
//	V ← Beta2·V + (1-Beta2)·G'²
//	d = Q_L·(b·M'/(√V + Eps))·Q_Rᵀ + WeightDecay·W
//	W ← W - η·d
//	L ← Beta2·L + (1-Beta2)·G·Gᵀ,  R ← Beta2·R + (1-Beta2)·Gᵀ·G
//	Q_L ← QR(L·Q_L),  Q_R ← QR(R·Q_R)   every BasisEvery steps
//
// with b = √(1-Beta2^k)/(1-Beta1^k) after k steps. At the first step L and R become those of
// its gradient, Q_L and Q_R their eigenvectors, and nothing moves, as in the authors'
// program. A side of more than MaxDim rows or columns has no basis: its Q is I. Other
// parameters have AdamW's step, Q = I on both sides. Eigenvectors of the eigenvalue 0, where
// the first gradient is not of full rank, are what rounding makes of them: runs on other
// machines, or by several processes, are others. Statistics are kept in the weights'
// dtype, bases are computed in float64. Where APO learns rates, φ is log η. Make it with
// SOAP.
type SOAPConfig struct {
	OptimizerBase
	LR          float64 `json:"lr"`
	Beta1       float64 `json:"beta1"` // at least 0, below 1
	Beta2       float64 `json:"beta2"` // at least 0, below 1
	Eps         float64 `json:"eps"`   // 0 or more, outside the root
	WeightDecay float64 `json:"weight_decay"`
	BasisEvery  int     `json:"basis_every"` // steps between bases, 1 or more
	MaxDim      int     `json:"max_dim"`     // 0 for no limit
}

var _ Optimizer = (*SOAPConfig)(nil)

// SOAP has the authors' defaults: β1 = β2 = 0.95, ε = 1e-8, weight decay 0.01, bases every 10
// steps and sides of at most 10000. Their rate is 3e-3.
func SOAP(lr float64) *SOAPConfig {
	return &SOAPConfig{LR: lr, Beta1: 0.95, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.01, BasisEvery: 10, MaxDim: 10000}
}

// Name implements Optimizer.
func (c *SOAPConfig) Name() string { return "soap" }

// LearningRate implements Optimizer.
func (c *SOAPConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *SOAPConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("beta1", c.Beta1), Fraction("beta2", c.Beta2), NotNegative("eps", c.Eps),
		NotNegative("weight_decay", c.WeightDecay), AtLeastOne("basis_every", c.BasisEvery), NotNegative("max_dim", float64(c.MaxDim)))
}

// Start implements Optimizer.
func (c *SOAPConfig) Start(t *Task) (Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startSOAP[float32], startSOAP[float64])
	if err != nil {
		return nil, err
	}
	return start(c, t), nil
}
