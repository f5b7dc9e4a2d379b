package precond

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// MomentumMode says how APO-Precond uses momentum: for a block with gradient G
// and preconditioner P, momentum μ and weight κ of what is new (Dampening).
type MomentumMode string

// The momentum modes.
const (
	// MomentumNone is θ' = θ - P·G.
	MomentumNone MomentumMode = "none"
	// MomentumGradient averages gradients: m ← μ·m + κ·G, θ' = θ - P·m.
	MomentumGradient MomentumMode = "grad"
	// MomentumPlain averages updates: m ← μ·m + κ·P·G, θ ← θ - m; the lookahead
	// is free of momentum, θ' = θ - P·G.
	MomentumPlain MomentumMode = "plain"
)

// PlainConfig is APO-Precond as the paper has it (Section 4.4): the update
// θ' = θ - P·G with a learned preconditioner for each block of parameters. It starts
// as SGD at rate LR: A = I, B = I, S = √LR. Make it with Plain, Relative or
// TrustRegion.
type PlainConfig struct {
	rule.OptimizerBase
	LR           float64      `json:"lr"`
	MomentumMode MomentumMode `json:"momentum_mode"`
	Momentum     float64      `json:"momentum"`  // μ: at least 0, below 1
	Dampening    float64      `json:"dampening"` // κ: above 0, at most 1
	// WeightDecay is an L2 penalty, 0 or more: G ← G + WeightDecay·θ comes before P and the
	// momentum. The loss in Q is without the penalty.
	WeightDecay float64 `json:"weight_decay,omitempty"`
	// FullMatrix learns one full matrix P for all parameters: for small problems.
	FullMatrix bool `json:"full_matrix"`
	// MaxDim is the largest number of rows or columns that a block may have to
	// get the matrices A and B; larger ones fall back to a diagonal S²
	// (the notes name them). 0 means no limit.
	MaxDim int `json:"max_dim"`
	// Clip shortens a step whose predicted function-space discrepancy is above
	// Clip/2: the update is ν·P·G with ν = min(1, √(Clip·λ_FSD/Σ<G,PG>)), the sum
	// over all blocks. 0 means no limit.
	Clip float64 `json:"clip"`
	// Relative, where it is not nil, takes the place of the meta-optimizer: P is
	// learned by the relative gradient, from one that is too large.
	Relative *RelativeConfig `json:"relative,omitempty"`
}

var _ learn.Updater = (*PlainConfig)(nil)

// Plain is the paper's APO-Precond starting as SGD at rate lr, with averaged updates
// (MomentumPlain), μ = 0.9, κ = 1 - μ and a limit of 5000 rows or columns, which
// the convolutions of ResNet-18 and VGG16 keep. Its defaults are λ_FSD = 1,
// λ_WSD = 0.1 and Adam at 0.003 with β2 = 0.99 for a meta-optimizer.
func Plain(lr float64) *PlainConfig {
	return &PlainConfig{LR: lr, MomentumMode: MomentumPlain, Momentum: 0.9, Dampening: 0.1, MaxDim: rule.DefaultMaxDim}
}

// Relative is Plain learned by the relative gradient: P starts as the
// multiple lr of the identity, which should be too large, and shrinks where the
// function-space discrepancy asks for it. lr = 0 stands for 1/λ_WSD, the minimiser
// of Q where nothing else speaks. Its defaults are λ_FSD = 13, λ_WSD = 0.003 and
// K = 10.
func Relative(lr float64) *PlainConfig {
	c := Plain(lr)
	c.Clip, c.Relative = 0.001, RelativeSteps()
	return c
}

// TrustRegion is Relative with a trust region: steps are as long as the discrepancy
// that meta-steps measured allows (RelativeConfig.Trust = 0.1). Its relative steps
// are half as long, and it learns for longer before that: settings found with LeNet
// on CIFAR-10. Its defaults are λ_FSD = 5, λ_WSD = 0.4 and K = 10.
func TrustRegion(lr float64) *PlainConfig {
	c := Relative(lr)
	c.Clip = 0
	c.Relative.Trust, c.Relative.Step, c.Relative.Decay, c.Relative.WarmUp = 0.1, 0.05, 0.9, 20
	return c
}

// PlainName is the name of the optimizer, whichever way it learns.
const PlainName = "precond-plain"

// Name implements Optimizer.
func (c *PlainConfig) Name() string { return PlainName }

// LearningRate implements Optimizer.
func (c *PlainConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *PlainConfig) Validate() error {
	switch c.MomentumMode {
	case MomentumNone, MomentumGradient, MomentumPlain:
	default:
		return errors.Errorf("trainers: %s: momentum_mode is %q: it must be none, grad or plain", c.Name(), c.MomentumMode)
	}
	if c.MaxDim < 0 {
		return errors.Errorf("trainers: %s: max_dim is %d: it must be 0 or more", c.Name(), c.MaxDim)
	}
	rate := rule.Positive("lr", c.LR)
	if c.Relative != nil {
		if err := c.Relative.validate(c); err != nil {
			return err
		}
		rate = rule.NotNegative("lr", c.LR)
	}
	return rule.FirstFailed(c.Name(), rate, rule.Fraction("momentum", c.Momentum), rule.NotNegative("clip", c.Clip), rule.NotNegative(rule.WeightDecay, c.WeightDecay),
		rule.Require("dampening", c.Dampening, c.Dampening > 0 && c.Dampening <= 1, "above 0 and at most 1"))
}

// Start implements rule.Optimizer: it is an error, for a preconditioner is no rule.
func (c *PlainConfig) Start(*rule.Task) (rule.Rule, error) {
	return nil, errors.Errorf("trainers: %s has no learning rate to adapt", c.Name())
}

// Update implements learn.Updater.
func (c *PlainConfig) Update(t *rule.Task, s *learn.Settings) (learn.Update, error) {
	if s.Blocks != nil && c.FullMatrix {
		return nil, errors.New("trainers: Blocks has no effect with a full matrix: leave one of them out")
	}
	blocks, err := blocksOf(t, s)
	if err != nil {
		return nil, err
	}
	if c.Relative != nil && c.Relative.Trust > 0 && (s.K == 0 || s.NoFSD || s.NoWSD) {
		return nil, errors.Errorf("trainers: %s: meta-steps measure the trust region, from both discrepancies: K, λ_FSD and λ_WSD must be above 0", c.Name())
	}
	own := *c
	if own.LR == 0 {
		lambda := s.WSD(0)
		if !(lambda > 0) {
			return nil, errors.Errorf("trainers: %s: lr 0 stands for 1/λ_WSD, but λ_WSD is %v", c.Name(), lambda)
		}
		own.LR = 1 / lambda
	}
	return newPlainUpdate(&own, t, blocks, s.FSD)
}

// Learner implements learn.Updater.
func (c *PlainConfig) Learner() learn.NewLearner {
	if c.Relative == nil {
		return nil
	}
	return newRelativeLearner
}

// Defaults implements rule.Optimizer.
func (c *PlainConfig) Defaults() rule.Defaults {
	adam := rule.Adam(3e-3)
	adam.Beta2 = 0.99
	d := rule.Defaults{FSD: 1, WSD: 0.1, Meta: adam}
	switch {
	case c.Relative == nil:
	case c.Relative.Trust > 0:
		d.FSD, d.WSD = 5, 0.4
	default:
		d.FSD, d.WSD = 13, 0.003
	}
	return d
}

// shape puts the fallback of its form on each block that is too large for it.
func (c *PlainConfig) shape(params []*graph.Param, blocks []graph.Block) []graph.Block {
	if c.FullMatrix {
		return graph.OneBlock(params)
	}
	blocks = slices.Clone(blocks)
	for i, b := range blocks {
		for b.Form.Fallback() != nil && rule.TooLarge(b, c.MaxDim) {
			b.Form = b.Form.Fallback()
		}
		blocks[i] = b
	}
	return blocks
}

func (c *PlainConfig) momentum() bool {
	return c.MomentumMode != MomentumNone
}
