package precond

import (
	"cmp"
	"math"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// Config is APO-Precond with a preconditioner whose sides are of low rank, the
// recommended one. For a weight matrix with inputs x, the bias's 1 among them, and
// gradients z by its outputs,
//
//	P = P_B ⊗ P_A,  U = P_B·G·P_A,  m ← μ·m + ν·U + WeightDecay·θ,  θ ← θ - scale(t)·LR·m
//	ν = min(1, √(Clip/(LR²·Σ<G,U>)))
//
// which is Eq. 9 with an S of rank 1; form.LowRank has the sides. The schedule's
// factor multiplies a step that is clipped already.
//
// In terms of the paper λ_FSD is 1/LR, λ_WSD is Damping/LR, and LR·P follows the
// minimiser of the objective that Theorem 1 approximates Q by,
//
//	-vᵀPv + ½(Pv)ᵀ(λ_FSD·F + λ_WSD·I)Pv,
//
// the limit of Q(εP)/ε for ε → 0, where F is the Gauss-Newton matrix of the
// function-space discrepancy on B'. Its minimiser is the same whatever vectors v it is
// averaged over; those with covariance P⁻¹ show every direction equally well, and
// tr(PH) - log det P, which they give, needs products with the rows x and z alone.
// A meta-step is one of Newton's for this objective, averaged over the last meta-steps:
// see package lowrank. The weight-space term is that of the layer's matrix when its
// inputs and output gradients carry white noise: (A + r_a·I) ⊗ (S + r_s·I) with
// r_a·r_s = Damping takes the place of A⊗S + Damping·I. B' is a part of B, each time
// another, or of what the option TildeFrom gives.
//
// The options FSD and WSD set λ_FSD and λ_WSD, and with them the rate 1/λ_FSD and the
// damping λ_WSD/λ_FSD. With EveryK(0) P stays I: SGD with momentum and the clip.
//
// Parameters that are no weight matrix have a diagonal P, 1/(E[h²] + Damping) with h²
// the diagonal of F.
type Config struct {
	rule.OptimizerBase
	// LR is 1/λ_FSD. With 0 it is found before the first step: it is the r, up to a tenth, at
	// which the loss of the first mini-batch is least along θ - r·P·G, where P is that of the
	// warm-up. λ_FSD and λ_WSD are then in units of 1/r, so r is 1/Stats.Meta.LambdaFSD unless the
	// option FSD is given. Without probes it is an error.
	LR       float64 `json:"lr"`
	Momentum float64 `json:"momentum"` // μ: at least 0, below 1
	// Damping is λ_WSD/λ_FSD at first, above 0, in units of the trace of the Hessian of
	// the discrepancy in the outputs (1 if that is less, as for classes; the number of
	// outputs for squared errors). So is Clip.
	Damping float64 `json:"damping"`
	// Clip limits twice the function-space discrepancy that a step without momentum is
	// predicted to have. 0 means no limit.
	Clip float64 `json:"clip"`
	// WeightDecay is decoupled: neither P nor the clip applies to it, and the objective is
	// without it; where no probes can be drawn it is an L2 penalty. 0 or more.
	WeightDecay float64 `json:"weight_decay,omitempty"`
	// Rank is that of the part of a side which is not a multiple of the identity.
	// Sides of up to twice as many rows are dense.
	Rank int `json:"rank"`

	// DampingDecay multiplies the damping at each meta-step whose step the clip left as
	// it is: above 0, at most 1. So λ_WSD falls while steps stay where P can be trusted,
	// as the damping of Levenberg and Marquardt does (Moré 1978; Martens & Grosse 2015,
	// section 6.5). Where the mean loss of ten steps is larger than that of the ten
	// before, the damping rises again by 1/DampingDecay², up to what it was at first,
	// and does not fall in the ten steps that follow. It also follows the schedule.
	// 1 stands for neither.
	DampingDecay float64 `json:"damping_decay"`
	// Decay is that of the running averages of A, S and the subspaces over meta-steps: at
	// least 0, below 1.
	Decay float64 `json:"decay"`
	Turn  float64 `json:"turn"` // τ, the length of a step of the subspaces: 0 or more
	// WarmUp is the number of meta-steps on the first mini-batch before step 0, each with
	// a probe of its own. They start from P = I/(Damping + f) with f the mean diagonal
	// element of F. 0 starts from P = I, without them.
	WarmUp int `json:"warm_up"`
	// Frequent is how many first steps all have a meta-step. After them the distance
	// of meta-steps grows by one in as many steps, up to K.
	Frequent int `json:"frequent"`

	Rows      float64 `json:"rows"`      // |B'|/|B|: above 0, at most 1
	Positions int     `json:"positions"` // of each image in B' that a convolution is seen at
}

var _ learn.Updater = (*Config)(nil)

// New is APO-Precond at rate lr, or at one that it finds where lr is 0, with the settings
// that suit dense, convolutional and recurrent nets. Its default K is 20.
func New(lr float64) *Config {
	return &Config{
		LR: lr, Momentum: 0.9, Damping: 1e-3, DampingDecay: 0.7, Clip: 1e-4, Rank: form.DefaultRank,
		Decay: 0.9, Turn: 0.5, WarmUp: 30, Frequent: 50, Rows: 0.5, Positions: 1,
	}
}

// Name is the name of the optimizer.
const Name = "precond"

// Name implements Optimizer.
func (c *Config) Name() string { return Name }

// LearningRate implements Optimizer.
func (c *Config) LearningRate() float64 { return c.LR }

// Defaults implements Optimizer: λ_FSD = 1/LR, λ_WSD = Damping/LR and K = 20, with 1 in
// the place of an LR of 0.
func (c *Config) Defaults() rule.Defaults {
	lr := cmp.Or(c.LR, 1)
	return rule.Defaults{FSD: 1 / lr, WSD: c.Damping / lr, K: 20, Meta: rule.MetaAdam(0.05)}
}

// Validate implements Optimizer.
func (c *Config) Validate() error {
	for _, n := range []struct {
		field              string
		value, least, most int
	}{
		{"rank", c.Rank, 1, mostRank}, {"warm_up", c.WarmUp, 0, mostMetaSteps},
		{"frequent", c.Frequent, 1, math.MaxInt32}, {"positions", c.Positions, 1, 1 << 20},
	} {
		if n.value < n.least || n.value > n.most {
			return errors.Errorf("trainers: %s: %s is %d: it must be from %d to %d", c.Name(), n.field, n.value, n.least, n.most)
		}
	}
	return rule.FirstFailed(c.Name(), rule.NotNegative("lr", c.LR), rule.Fraction("momentum", c.Momentum), rule.Positive("damping", c.Damping), rule.NotNegative("clip", c.Clip),
		rule.NotNegative(rule.WeightDecay, c.WeightDecay),
		rule.Require("damping_decay", c.DampingDecay, c.DampingDecay > 0 && c.DampingDecay <= 1, "above 0 and at most 1"),
		rule.Fraction("decay", c.Decay), rule.NotNegative("turn", c.Turn),
		rule.Require("rows", c.Rows, c.Rows > 0 && c.Rows <= 1, "above 0 and at most 1"))
}

// mostRank is the largest rank.
const mostRank = 1 << 16

// Start implements rule.Optimizer: it is an error, for a preconditioner is no rule.
func (c *Config) Start(*rule.Task) (rule.Rule, error) {
	return nil, errors.Errorf("trainers: %s has no learning rate to adapt", c.Name())
}

// shape gives weight matrices their form: that of Eq. 9 is narrowed to low rank.
func (c *Config) shape(blocks []graph.Block) []graph.Block {
	blocks = slices.Clone(blocks)
	for i := range blocks {
		blocks[i].Form = graph.Narrow(blocks[i].Form, c.Rank)
	}
	return blocks
}

// Update implements learn.Updater.
func (c *Config) Update(t *rule.Task, s *learn.Settings) (learn.Update, error) {
	if s.NoFSD || s.NoWSD {
		return nil, errors.Errorf("trainers: %s: λ_FSD and λ_WSD must be above 0: they are its rate and its damping", c.Name())
	}
	if s.K == 0 && c.LR == 0 {
		return nil, errors.Errorf("trainers: %s: lr is 0: the rate is found along the step of a P that is learned, so K must be above 0", c.Name())
	}
	if s.K > 0 && !graph.HasProbe(t.Source) {
		return c.relativeUpdate(t, s)
	}
	blocks, err := blocksOf(t, s)
	if err != nil {
		return nil, err
	}
	narrow := c.shape(blocks)
	for _, b := range narrow {
		if b.Form.Probed() == nil {
			return nil, errors.Errorf("trainers: %s: block %q: a %s preconditioner is not learned from probes", c.Name(), b.Name, b.Form.Name())
		}
	}
	var lost []bool
	if s.K > 0 {
		if lost, err = c.withoutRows(t, blocks, narrow); err != nil {
			return nil, err
		}
	}
	u, err := newUpdate(c, t, narrow, s)
	if own, ok := u.(interface{ shared() *core }); ok {
		own.shared().lost = lost
	}
	return u, err
}

// Learner implements learn.Updater.
func (c *Config) Learner() learn.NewLearner { return newLearner }
