package curvature

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// SINGDConfig is inverse-free natural gradient descent (INGD; Lin et al. 2023), which is
// SINGD (Lin et al. 2024) with dense factors. In the place of KFAC's inverses it keeps K and
// C with K·Kᵀ near (Ā + λI)⁻¹ and C·Cᵀ near (Ḡ + λI)⁻¹, up to a factor, and moves them by
// products alone. For a layer's gradient g, (inputs+1)×outputs, with Ā and Ḡ of the
// mini-batch alone, every FactorEvery steps, at first K = C = I and M_K = M_C = 0,
//
//	H_K = Kᵀ·Ā·K,  H_C = Cᵀ·Ḡ·C
//	M_K ← FactorMomentum·M_K + ½·(tr(H_C)/outputs·H_K + λ·tr(CᵀC)/outputs·KᵀK - I)
//	M_C ← FactorMomentum·M_C + ½·(tr(H_K)/(inputs+1)·H_C + λ·tr(KᵀK)/(inputs+1)·CᵀC - I)
//	K ← K·(I - FactorLR·M_K),  C ← C·(I - FactorLR·M_C)
//
// and at each step
//
//	d = K·Kᵀ·g·C·Cᵀ + WeightDecay·θ
//	v ← Momentum·v + d
//	θ ← θ - η·v
//
// With Normalize FactorLR is divided by the largest |element| of M, where that is above 1,
// and the ½ is ½·(1-FactorMomentum): the authors advise it, or a smaller FactorLR at first,
// where a run diverges in its first steps. With KFACLike the traces over outputs and
// inputs+1 are 1: this is IKFAC of the same paper, K·Kᵀ comes to (Ā + λI)⁻¹ and C·Cᵀ to
// (Ḡ + λI)⁻¹, and FactorMomentum must be 0.
//
// The targets that Ḡ comes from are the batch's with Empirical, and drawn from the model's own
// distribution without. Parameters that are no layer's weight matrix, layers whose weights
// are used more than once and those larger than MaxDim get the plain gradient
// (Trainer.Notes names them). Factors of convolutions are those of KFACConfig: that the
// authors divide Ā and multiply Ḡ by the number of positions matters with KFACLike alone.
//
// All is computed in the weights' dtype; K, C and M stay in float32 where a training is in 16
// bits. Statistics and factors that are not finite are left out and counted
// (Trainer.Fallbacks). Make it with SINGD.
type SINGDConfig struct {
	rule.OptimizerBase
	LR             float64 `json:"lr"`
	Momentum       float64 `json:"momentum"`        // at least 0, below 1
	Damping        float64 `json:"damping"`         // λ, 0 or more
	FactorLR       float64 `json:"factor_lr"`       // above 0
	FactorMomentum float64 `json:"factor_momentum"` // at least 0, below 1
	FactorEvery    int     `json:"factor_every"`    // 1 or more
	Normalize      bool    `json:"normalize"`
	KFACLike       bool    `json:"kfac_like"`
	Empirical      bool    `json:"empirical"`
	WeightDecay    float64 `json:"weight_decay"`
	MaxDim         int     `json:"max_dim"` // 0 for no limit
}

var _ rule.Optimizer = (*SINGDConfig)(nil)

// SINGD has the authors' defaults: momentum 0.9, damping 1e-3, factors at a rate of 1e-2 with
// momentum 0.5 every 10 steps, not normalised, the empirical Fisher, no weight decay; and a
// limit of 5000 rows or columns. Their rate is 1e-3.
func SINGD(lr float64) *SINGDConfig {
	return &SINGDConfig{
		LR: lr, Momentum: 0.9, Damping: 1e-3, FactorLR: 1e-2, FactorMomentum: 0.5, FactorEvery: 10, Empirical: true, MaxDim: rule.DefaultMaxDim,
	}
}

// Name implements rule.Optimizer.
func (c *SINGDConfig) Name() string { return "singd" }

// LearningRate implements rule.Optimizer.
func (c *SINGDConfig) LearningRate() float64 { return c.LR }

// Validate implements rule.Optimizer.
func (c *SINGDConfig) Validate() error {
	return rule.FirstFailed(c.Name(), rule.Positive("lr", c.LR), rule.Fraction("momentum", c.Momentum), rule.NotNegative("damping", c.Damping),
		rule.Positive("factor_lr", c.FactorLR), rule.Fraction("factor_momentum", c.FactorMomentum),
		rule.Require("factor_momentum", c.FactorMomentum, c.FactorMomentum == 0 || !c.KFACLike, "0 with kfac_like"),
		rule.AtLeastOne("factor_every", c.FactorEvery), rule.NotNegative("weight_decay", c.WeightDecay), rule.NotNegative("max_dim", float64(c.MaxDim)))
}

// DrawsTargets implements rule.Optimizer.
func (c *SINGDConfig) DrawsTargets() bool { return !c.Empirical }

// Start implements rule.Optimizer.
func (c *SINGDConfig) Start(t *rule.Task) (rule.Rule, error) {
	if err := checkCurvature(t, c.Name()); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startSINGD[float32], startSINGD[float64])
	if err != nil {
		return nil, err
	}
	return start(c, t), nil
}

func startSINGD[T apoops.Float](c *SINGDConfig, t *rule.Task) rule.Rule {
	return newBlockwise(t, blockwiseSettings{momentum: c.Momentum, decay: c.WeightDecay}, func(blocks []*gradientBlock[T]) preconditioner[T] {
		k := &singd[T]{c: *c, pairs: make([]*rootPair[T], len(blocks))}
		k.curvature = newCurvature[T](t, curvatureSettings{name: c.Name(), factorEvery: c.FactorEvery, empirical: c.Empirical, maxDim: c.MaxDim})
		for _, l := range k.layers {
			p := &rootPair[T]{k: newRoot(l.Rows, l.a), c: newRoot(l.Cols, l.g), half: make([]T, l.Rows*l.Cols)}
			k.pairs[l.block] = p
		}
		return k
	})
}
