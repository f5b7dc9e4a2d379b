package trainers

import (
	"errors"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// averagedConfig is a rule as a user writes it, with Directions and State alone:
// d = m/‖g‖ with m ← μ·m + g.
type averagedConfig struct {
	rule.OptimizerBase
	LR       float64 `json:"lr"`
	Momentum float64 `json:"momentum"`
}

func (c *averagedConfig) Name() string          { return "averaged" }
func (c *averagedConfig) LearningRate() float64 { return c.LR }
func (c *averagedConfig) Validate() error {
	return rule.FirstFailed("averaged", rule.Positive("lr", c.LR), rule.Fraction("momentum", c.Momentum))
}

func (c *averagedConfig) Start(t *rule.Task) (rule.Rule, error) {
	r := &averaged{c: *c, t: t}
	for _, p := range t.Params {
		zeros := func() *tensor.Dense {
			return tensor.New(tensor.WithShape(p.Value.Shape().Clone()...), tensor.Of(p.Value.Dtype()))
		}
		r.m, r.d = append(r.m, zeros()), append(r.d, zeros())
	}
	return r, nil
}

type averaged struct {
	rule.Base
	c    averagedConfig
	t    *rule.Task
	m, d []*tensor.Dense
}

func (r *averaged) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for i, p := range r.t.Params {
		all = append(all, checkpoint.NamedTensor{Name: p.Name + "/m", Value: r.m[i]})
	}
	return all
}

func (r *averaged) Directions(in rule.Input) ([]*tensor.Dense, error) {
	for i, g := range in.G {
		advance, err := apoops.Choose(g.Dtype(), averageOf[float32], averageOf[float64])
		if err != nil {
			return nil, err
		}
		advance(r.d[i], r.m[i], g, r.c.Momentum, in.Norm)
	}
	return r.d, nil
}

func averageOf[T apoops.Float](d, m, g *tensor.Dense, mu, norm float64) {
	x, v, y := apoops.Elements[T](d), apoops.Elements[T](m), apoops.Elements[T](g)
	for i := range y {
		v[i] = T(mu)*v[i] + y[i]
		x[i] = v[i] / T(norm)
	}
}

// lionConfig is Lion (Chen et al. 2023), which works element by element.
type lionConfig struct {
	rule.OptimizerBase
	LR    float64 `json:"lr"`
	Beta1 float64 `json:"beta1"`
	Beta2 float64 `json:"beta2"`
}

func (c *lionConfig) Name() string          { return "lion" }
func (c *lionConfig) LearningRate() float64 { return c.LR }
func (c *lionConfig) Validate() error       { return rule.FirstFailed("lion", rule.Positive("lr", c.LR)) }

func (c *lionConfig) Start(t *rule.Task) (rule.Rule, error) {
	return rule.Elementwise(t, lion[float32]{c: c}, lion[float64]{c: c})
}

type lion[T apoops.Float] struct {
	rule.KernelBase
	c *lionConfig
}

func (lion[T]) Moments() []string { return []string{"average"} }

func (lion[T]) Kinds() []precision.Kind { return []precision.Kind{precision.Momentum} }

func (k lion[T]) Direction(d, _, g []T, m [][]T) []T {
	b1, b2 := T(k.c.Beta1), T(k.c.Beta2)
	for i, x := range g {
		v := m[0][i]
		d[i] = T(math.Copysign(1, float64(b1*v+(1-b1)*x)))
		m[0][i] = b2*v + (1-b2)*x
	}
	return d
}

// userRules are rules that know nothing of this package's own ways: they are part of
// the battery (everyOptimizer).
func userRules() map[string]Optimizer {
	return map[string]Optimizer{
		"averaged": &averagedConfig{LR: 0.05, Momentum: 0.5},
		"lion":     &lionConfig{LR: 0.01, Beta1: 0.9, Beta2: 0.99},
	}
}

// TestUserRuleIsUndone takes a step that makes the weights infinite.
func TestUserRuleIsUndone(t *testing.T) {
	for name, o := range map[string]Optimizer{
		"averaged": &averagedConfig{LR: 1e39, Momentum: 0.5}, "lion": &lionConfig{LR: 1e39, Beta1: 0.9, Beta2: 0.99},
	} {
		tr, fresh := toyTrainer(t, o, EveryK(0)), toyTrainer(t, o, EveryK(0))
		b, err := NewBatches(toyData(t, tensor.Float32), 12, 5)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Step(b.At(0)); !errors.Is(err, ErrNotFinite) {
			t.Fatalf("%s: %v, want ErrNotFinite", name, err)
		}
		sameBits(t, name, tr.engine, fresh.engine)
	}
}

// TestUserRuleMovesPhi has them as meta-optimizers, stopped and resumed.
func TestUserRuleMovesPhi(t *testing.T) {
	for name, meta := range userRules() {
		tr := toyTrainer(t, SGDm(0.01), EveryK(2), Meta(meta))
		run(t, tr, 0, 9)
		if tr.Rates()[0] == 0.01 {
			t.Errorf("%s: the rate did not move", name)
		}
		path := t.TempDir() + "/checkpoint"
		if err := tr.Save(path); err != nil {
			t.Fatal(err)
		}
		other := toyTrainer(t, SGDm(0.01), EveryK(2), Meta(meta))
		if err := other.Load(path); err != nil {
			t.Fatal(err)
		}
		run(t, tr, 9, 15)
		run(t, other, 9, 15)
		sameBits(t, name, tr.engine, other.engine)
	}
}

func TestUserRuleHasNoLineSearch(t *testing.T) {
	for name, o := range userRules() {
		_, err := New(toyModel(), toyLoss, o, Calibrated(CalibratedConfig{}))
		wantError(t, name, err, "Calibrated", o.Name(), "no line search")
	}
}
