package rule

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// MuonConfig is Muon (Jordan et al. 2024): momentum, orthogonalised by Steps steps of
// Newton and Schulz, for matrices, and AdamW for all else. For the weights W of a layer with
// the gradient G, without the bias,
//
//	M ← Momentum·M + (1-Momentum)·G
//	U = (1-Momentum)·G + Momentum·M, or M without Nesterov
//	d = s·NewtonSchulz(U) + WeightDecay·W
//	W ← W - η·d
//
// where s is √max(1, outputs/inputs), or with ScaleRMS 0.2·√max(inputs, outputs), which gives
// steps the size of AdamW's (Liu et al. 2025). NewtonSchulz(U) is about the nearest
// orthogonal matrix. It is in the weights' dtype, where the authors take bfloat16.
//
// The bias, which is the last row of a layer's matrix here (graph.Param.Bias), is split off
// and given to AdamW. So are parameters that are no matrix: tables of embeddings, scales of
// norms, biases of their own; and the matrices named in AdamW, such as that of the last
// layer, for which the authors advise it. Kernels of convolutions are matrices of
// (channels·rows·columns)×outputs.
//
// AdamW's rate is AdamRate as long as η is LR: a schedule and APO, whose φ is log η,
// multiply both alike. Make it with Muon.
type MuonConfig struct {
	OptimizerBase
	LR          float64  `json:"lr"`
	Momentum    float64  `json:"momentum"` // at least 0, below 1
	Nesterov    bool     `json:"nesterov"`
	Steps       int      `json:"steps"` // 1 or more
	Scale       string   `json:"scale"` // ScaleSpectral or ScaleRMS
	WeightDecay float64  `json:"weight_decay"`
	AdamW       []string `json:"adamw,omitempty"` // names of parameters
	AdamRate    float64  `json:"adam_lr"`         // above 0
	Beta1       float64  `json:"beta1"`           // of AdamW: at least 0, below 1
	Beta2       float64  `json:"beta2"`           // at least 0, below 1
	Eps         float64  `json:"eps"`             // 0 or more
}

// The scales of Muon's steps.
const (
	ScaleSpectral = "spectral"
	ScaleRMS      = "rms"
)

var _ Optimizer = (*MuonConfig)(nil)

// Muon has the authors' defaults: Nesterov's momentum 0.95, five steps, the spectral scale, no
// weight decay, and AdamW at 3e-4 with β1 = 0.9, β2 = 0.95 and ε = 1e-10. Their rate is 0.02.
func Muon(lr float64) *MuonConfig {
	return &MuonConfig{
		LR: lr, Momentum: 0.95, Nesterov: true, Steps: 5, Scale: ScaleSpectral, AdamRate: 3e-4, Beta1: 0.9, Beta2: 0.95, Eps: 1e-10,
	}
}

// Name implements Optimizer.
func (c *MuonConfig) Name() string { return "muon" }

// LearningRate implements Optimizer.
func (c *MuonConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *MuonConfig) Validate() error {
	if c.Scale != ScaleSpectral && c.Scale != ScaleRMS {
		return errors.Errorf("trainers: muon: scale is %q: it must be %s or %s", c.Scale, ScaleSpectral, ScaleRMS)
	}
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("momentum", c.Momentum), AtLeastOne("steps", c.Steps),
		NotNegative("weight_decay", c.WeightDecay), Positive("adam_lr", c.AdamRate), Fraction("beta1", c.Beta1), Fraction("beta2", c.Beta2),
		NotNegative("eps", c.Eps))
}

// Start implements Optimizer.
func (c *MuonConfig) Start(t *Task) (Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	// In groups t.Params are those of one group, and the names may be of others.
	all := slices.Concat(t.Params, t.Model)
	for _, name := range c.AdamW {
		if !slices.ContainsFunc(all, func(p *graph.Param) bool { return p.Name == name }) {
			return nil, errors.Errorf("trainers: muon: adamw names %q: there is no such parameter", name)
		}
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startMuon[float32], startMuon[float64])
	if err != nil {
		return nil, err
	}
	return start(c, t), nil
}
