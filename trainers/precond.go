package trainers

import (
	"math"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
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

// PrecondConfig is APO-Precond (Section 4.4): the update θ' = θ - P·G with a
// learned preconditioner for each block of parameters. It starts as SGD at rate
// LR: A = I, B = I, S = √LR. Make it with Precond.
type PrecondConfig struct {
	LR           float64      `json:"lr"`
	MomentumMode MomentumMode `json:"momentum_mode"`
	Momentum     float64      `json:"momentum"`  // μ: at least 0, below 1
	Dampening    float64      `json:"dampening"` // κ: above 0, at most 1
	// FullMatrix learns one full matrix P for all parameters: for small problems.
	FullMatrix bool `json:"full_matrix"`
	// MaxDim is the largest number of rows or columns that a block may have to
	// get the matrices A and B; larger ones fall back to a diagonal S²
	// (Trainer.Notes names them). 0 means no limit.
	MaxDim int `json:"max_dim"`
	// Clip shortens a step whose predicted function-space discrepancy is above
	// Clip/2: the update is ν·P·G with ν = min(1, √(Clip·λ_FSD/Σ<G,PG>)), the sum
	// over all blocks. 0 means no limit.
	Clip float64 `json:"clip"`
	// Relative, where it is not nil, takes the place of the meta-optimizer: A and
	// B are learned by relative steps, from a P that is too large (see
	// RelativeConfig).
	Relative *RelativeConfig `json:"relative,omitempty"`
}

var (
	_ former   = (*PrecondConfig)(nil)
	_ adjuster = (*PrecondConfig)(nil)
)

// Precond is APO-Precond starting as SGD at rate lr, with averaged updates
// (MomentumPlain), μ = 0.9, κ = 1 - μ and a limit of 5000 rows or columns, which
// the convolutions of ResNet-18 and VGG16 keep.
func Precond(lr float64) *PrecondConfig {
	return &PrecondConfig{LR: lr, MomentumMode: MomentumPlain, Momentum: 0.9, Dampening: 0.1, MaxDim: defaultMaxDim}
}

// PrecondFromAbove is APO-Precond learned by relative steps: P starts as the
// multiple lr of the identity, which should be too large, and shrinks where the
// function-space discrepancy asks for it. lr = 0 stands for 1/λ_WSD, the minimiser
// of Q where nothing else speaks. Its defaults are λ_FSD = 13, λ_WSD = 0.003 and
// K = 10.
func PrecondFromAbove(lr float64) *PrecondConfig {
	c := Precond(lr)
	c.Clip, c.Relative = 0.001, RelativeSteps()
	return c
}

// PrecondTrust is PrecondFromAbove with steps as long as the discrepancy that
// meta-steps measured allows (RelativeConfig.Trust = 0.1), relative steps half as
// long and longer learning before that: settings found with LeNet on CIFAR-10. Its
// defaults are λ_FSD = 5, λ_WSD = 0.4 and K = 10.
func PrecondTrust(lr float64) *PrecondConfig {
	c := PrecondFromAbove(lr)
	c.Clip = 0
	c.Relative.Trust, c.Relative.Step, c.Relative.Decay, c.Relative.WarmUp = 0.1, 0.05, 0.9, 20
	return c
}

// Name implements Optimizer.
func (c *PrecondConfig) Name() string {
	switch {
	case c.Relative == nil:
		return "precond"
	case c.Relative.Trust > 0:
		return "precond-trust"
	}
	return "precond-above"
}

// LearningRate implements Optimizer.
func (c *PrecondConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *PrecondConfig) Validate() error {
	switch c.MomentumMode {
	case MomentumNone, MomentumGradient, MomentumPlain:
	default:
		return errors.Errorf("trainers: precond: momentum_mode is %q: it must be none, grad or plain", c.MomentumMode)
	}
	if c.MaxDim < 0 {
		return errors.Errorf("trainers: precond: max_dim is %d: it must be 0 or more", c.MaxDim)
	}
	rate := positive("lr", c.LR)
	if c.Relative != nil {
		if err := c.Relative.validate(c); err != nil {
			return err
		}
		rate = notNegative("lr", c.LR)
	}
	return firstFailed(c.Name(), rate, fraction("momentum", c.Momentum), notNegative("clip", c.Clip),
		check{"dampening", c.Dampening, c.Dampening > 0 && c.Dampening <= 1, "above 0 and at most 1"})
}

// start implements Optimizer; a preconditioner is a form of its own, not a rule.
func (c *PrecondConfig) start(*task) (rule, error) {
	return nil, errors.New("trainers: precond has no learning rate to adapt")
}

// form implements former.
func (c *PrecondConfig) form(t *task, a *config) (form, error) {
	blocks := t.blocks
	if a.blocks != nil {
		var err error
		if blocks, err = a.blocks(t.params); err != nil {
			return nil, errors.WithMessage(err, "trainers: Blocks")
		}
		if err := graph.CheckBlocks(blocks, t.params); err != nil {
			return nil, errors.WithMessage(err, "trainers: Blocks")
		}
	}
	if c.Relative != nil && c.Relative.Trust > 0 && (a.k == 0 || a.noFSD || a.noWSD) {
		return nil, errors.Errorf("trainers: %s: meta-steps measure what trust limits, from both discrepancies: K, λ_FSD and λ_WSD must be above 0", c.Name())
	}
	own := *c
	if own.LR == 0 {
		lambda := a.wsd(0)
		if !(lambda > 0) {
			return nil, errors.Errorf("trainers: %s: lr 0 stands for 1/λ_WSD, but λ_WSD is %v", c.Name(), lambda)
		}
		own.LR = 1 / lambda
	}
	return newPrecondForm(&own, t.params, blocks, a.fsd), nil
}

// adjust implements adjuster.
func (c *PrecondConfig) adjust(a *config) {
	if c.Relative != nil {
		a.fsd, a.wsd, a.noWSD = Const(13), Const(0.003), false
		if c.Relative.Trust > 0 {
			a.fsd, a.wsd = Const(5), Const(0.4)
		}
		a.learner = newRelativeLearner
		return
	}
	adam := Adam(3e-3)
	adam.Beta2 = 0.99
	a.meta, a.wsd, a.noWSD = adam, Const(0.1), false
}

// shape sets the form of each block.
func (c *PrecondConfig) shape(params []*graph.Param, blocks []graph.Block) []graph.Block {
	if c.FullMatrix {
		return graph.OneBlock(params)
	}
	for i, b := range blocks {
		if b.Form == graph.Kronecker && tooLarge(b, c.MaxDim) {
			blocks[i].Form = graph.Diagonal
		}
	}
	return blocks
}

func (c *PrecondConfig) momentum() bool {
	return c.MomentumMode != MomentumNone
}

// rootRate is the initial value of S.
func (c *PrecondConfig) rootRate() float64 { return math.Sqrt(c.LR) }
