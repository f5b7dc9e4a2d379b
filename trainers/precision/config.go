package precision

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Config says what a training keeps in 16 bits.
type Config struct {
	Format apoops.Format
	// MasterWeights keeps the weights in float32; the graphs see them rounded.
	MasterWeights bool
	// Stochastic rounds the weights after a step up or down at random, the nearer number
	// more often, rather than to the nearest.
	Stochastic bool
	chosen     bool // Stochastic is, by a Setting
	// State says of each Kind whether it is kept in 16 bits.
	State [kinds]bool
	Scale LossScale
}

// Setting is a choice of New.
type Setting func(*Config) error

// MasterWeights keeps weights in float32: a master copy, of which the graphs see the
// rounded numbers.
func MasterWeights() Setting {
	return func(c *Config) error {
		c.MasterWeights = true
		return nil
	}
}

// Stochastic rounds weights after a step to one of their two neighbours at random so that
// the expected value is the weight itself. Small steps then add up that rounding to the
// nearest would lose each time. The choice is a function of the training's seed, the step
// and the parameter. It is the default for bfloat16.
func Stochastic() Setting { return rounding(true) }

// Nearest rounds weights after a step to the nearest number of the format, of two to the
// even one: the default for float16.
func Nearest() Setting { return rounding(false) }

func rounding(stochastic bool) Setting {
	return func(c *Config) error {
		c.Stochastic, c.chosen = stochastic, true
		return nil
	}
}

// stochasticByDefault: steps below 2⁻⁹ of a weight are lost to the nearest bfloat16, in
// float16 those below 2⁻¹².
func stochasticByDefault(f apoops.Format) bool { return f == apoops.BFloat16 }

// newConfig applies settings to the defaults of a format.
func newConfig(f apoops.Format, settings []Setting) (c Config, err error) {
	if !f.Known() {
		return c, errors.Errorf("trainers: Precision: format %d is neither %v nor %v", int(f), apoops.Float16, apoops.BFloat16)
	}
	c = Config{Format: f, Stochastic: stochasticByDefault(f), Scale: LossScale{Start: 1, Cap: defaultCap}}
	for _, k := range []Kind{Momentum, Factors, Inverses, Phi} {
		c.State[k] = true
	}
	if f == apoops.Float16 {
		c.Scale = defaultDynamic()
	}
	for _, s := range settings {
		if s == nil {
			return c, errors.New("trainers: Precision: a setting is nil")
		}
		if err := s(&c); err != nil {
			return c, err
		}
	}
	if c.MasterWeights {
		if c.chosen && c.Stochastic {
			return c, errors.New("trainers: Precision: Stochastic has no effect with MasterWeights: leave one of them out")
		}
		c.Stochastic = false
	}
	return c, nil
}

// Describe is the configuration as checkpoints keep it.
func (c Config) Describe() map[string]any {
	return map[string]any{
		"format": c.Format.String(), "master weights": c.MasterWeights, "stochastic": c.Stochastic,
		"momentum": c.State[Momentum], "second moments": c.State[SecondMoments],
		"factors": c.State[Factors], "inverses": c.State[Inverses], "phi": c.State[Phi],
		"loss scale": c.Scale.describe(),
	}
}

// KeepRounding rounds weights as a run did, of which description is what Describe said, nil
// for one in float32, unless Nearest or Stochastic has chosen: the default was another
// once. undo takes that back.
func (p *Precision) KeepRounding(description map[string]any) (undo func()) {
	if p == nil || p.chosen || p.MasterWeights {
		return func() {}
	}
	before := p.Stochastic
	stochastic, ok := description["stochastic"].(bool)
	if !ok {
		stochastic = stochasticByDefault(p.Format)
	}
	p.Stochastic = stochastic
	return func() { p.Stochastic = before }
}

// Notes say where weights are not rounded as they are by default, though nobody chose that.
func (p *Precision) Notes() []string {
	if p == nil || p.chosen || p.MasterWeights || p.Stochastic == stochasticByDefault(p.Format) {
		return nil
	}
	how := "to the nearest"
	if p.Stochastic {
		how = "at random"
	}
	return []string{fmt.Sprintf("checkpoint: its run rounded weights of %v %s: this one goes on so", p.Format, how)}
}

// Precision is what a training does about 16 bits. A nil Precision does nothing: all is in
// the dtype of the parameters.
type Precision struct {
	Config
	scaler *Scaler
	seed   uint64
	// In 16 bits: what is rounded after each step, and what is rounded where it changes.
	state, stored []*tensor.Dense

	model   []*graph.Param
	step    int
	rounded int // parameters whose weights are, of this step
}

// Apart is for a rule that is started beside the training's own: it has the same
// settings and the same loss scale, and keeps state of its own.
func (p *Precision) Apart() *Precision {
	if p == nil {
		return nil
	}
	return &Precision{Config: p.Config, scaler: p.scaler, seed: p.seed}
}

// New makes the precision of a training with a seed.
func New(f apoops.Format, seed uint64, settings ...Setting) (*Precision, error) {
	c, err := newConfig(f, settings)
	if err != nil {
		return nil, err
	}
	return &Precision{Config: c, scaler: newScaler(c.Scale), seed: seed}, nil
}

// CheckDtype reports weights that are not of float32.
func (p *Precision) CheckDtype(dt tensor.Dtype) error {
	if p == nil {
		return nil
	}
	if single, err := apoops.Choose(dt, true, false); err != nil || !single {
		return apoops.ErrDtype.Errorf("trainers: Precision(%v) is for weights of float32, not %v: leave one of them out", p.Format, dt)
	}
	return nil
}

// checkRange reports the first weight that is beyond the range of the format.
func (c Config) checkRange(name string, x []float32) error {
	for i, v := range x {
		if w := float64(v); !math.IsInf(w, 0) && math.IsInf(apoops.Round16(c.Format, w), 0) {
			return errors.Errorf("trainers: Precision: %s: element %d is %v, beyond the range of %v, ±%v", name, i, v, c.Format, c.Format.Max())
		}
	}
	return nil
}
