package rule

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// MechanicConfig is Mechanic (Cutkosky, Defazio & Mehta 2023) around another rule: it
// learns a factor on all that the rule has moved the weights so far. With the rule's steps
// u_t = -γ_t·d_t at the rate γ_t, its own η times the schedule, and n numbers β_i:
//
//	h = <Δ, g + λ·(Σ s_i)·‖g‖·θ/‖θ‖>
//	m_i ← max(β_i·m_i, |h|)
//	v_i ← β_i²·v_i + h²
//	r_i ← max(0, β_i·r_i - s_i·h)
//	s_i ← (SInit/n·m_i + r_i)/(√v_i + Eps)
//	Δ ← Δ + u_t
//	θ ← θ_1 + (Σ s_i)·Δ
//
// from s = v = r = 0 and m = 1e-6, as in the authors' program, over all parameters. Where
// the schedule's factor is 0 the weights rest, and follow at the next step. K is 0 by
// default; where APO learns rates all the same, η/γ multiplies the step of θ. Make it with
// Mechanic.
type MechanicConfig struct {
	Base   Optimizer `json:"base"`
	Betas  []float64 `json:"betas"` // each at least 0, below 1
	SInit  float64   `json:"s_init"`
	Lambda float64   `json:"lambda"` // λ, 0 or more
	Eps    float64   `json:"eps"`    // above 0
}

var _ Optimizer = (*MechanicConfig)(nil)

// Mechanic has the authors' defaults: β = 0.9, 0.99, …, 0.999999, s_init = 1e-8, λ = 0.01 and
// ε = 1e-8. A rule with weights of its own (Iterates), or whose φ is no learning rate, cannot
// be its base.
func Mechanic(base Optimizer) *MechanicConfig {
	return &MechanicConfig{Base: base, Betas: []float64{0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999}, SInit: 1e-8, Lambda: 0.01, Eps: 1e-8}
}

// Name implements Optimizer: mechanic- before that of the base.
func (c *MechanicConfig) Name() string {
	if graph.IsNil(c.Base) {
		return "mechanic"
	}
	return "mechanic-" + c.Base.Name()
}

// LearningRate implements Optimizer: that of the base.
func (c *MechanicConfig) LearningRate() float64 { return c.Base.LearningRate() }

// Defaults implements Optimizer: K is 0.
func (c *MechanicConfig) Defaults() Defaults { return withoutMetaSteps() }

// DrawsTargets implements Optimizer: that of the base.
func (c *MechanicConfig) DrawsTargets() bool { return c.Base.DrawsTargets() }

// Validate implements Optimizer.
func (c *MechanicConfig) Validate() error {
	if graph.IsNil(c.Base) {
		return errors.New("trainers: mechanic: base is nil: it must be a rule")
	}
	if err := c.Base.Validate(); err != nil {
		return err
	}
	if _, ok := c.Base.(Grouped); ok {
		return errors.Errorf("trainers: %s: one factor for all parameters: put Mechanic into the groups", c.Name())
	}
	if len(c.Betas) == 0 {
		return errors.Errorf("trainers: %s: betas is empty", c.Name())
	}
	for _, beta := range c.Betas {
		if err := FirstFailed(c.Name(), Fraction("betas", beta)); err != nil {
			return err
		}
	}
	return FirstFailed(c.Name(), Positive("s_init", c.SInit), NotNegative("lambda", c.Lambda), Positive("eps", c.Eps))
}

// Start implements Optimizer.
func (c *MechanicConfig) Start(t *Task) (Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startMechanic[float32], startMechanic[float64])
	if err != nil {
		return nil, err
	}
	base, err := Start(c.Base, t)
	if err != nil {
		return nil, err
	}
	if base.Iterates() != nil {
		return nil, errors.Errorf("trainers: %s: %s has weights of its own", c.Name(), c.Base.Name())
	}
	return start(c, t, base), nil
}

// mechanic is the rule around base. Each of its steps is checked when it was taken: what the
// base knows of its own steps does not hold for those of θ.
type mechanic[T apoops.Float] struct {
	Base
	c                   MechanicConfig
	base                Rule
	params              []*graph.Param
	weights             []*tensor.Dense // of the parameters
	origin, delta, dirs []*tensor.Dense
	s, m, v, r          []float64
}

func startMechanic[T apoops.Float](c *MechanicConfig, t *Task, base Rule) Rule {
	k := &mechanic[T]{c: *c, base: base, params: t.Params, origin: array.ZerosLike(t.Params), delta: array.ZerosLike(t.Params), dirs: array.ZerosLike(t.Params)}
	for _, p := range t.Params {
		k.weights = append(k.weights, p.Value)
	}
	n := len(c.Betas)
	k.s, k.m, k.v, k.r = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	array.Fill(k.m, 1e-6)
	k.Replaced()
	return k
}

// Replaced has the weights as they are for θ_1, from which the base has not moved.
func (k *mechanic[T]) Replaced() {
	for i, w := range k.weights {
		array.Copy(k.origin[i], w)
		k.delta[i].Zero()
	}
	k.base.Replaced()
}

func (k *mechanic[T]) Directions(in Input) ([]*tensor.Dense, error) {
	if in.T == 1 {
		k.Replaced() // the weights may have been set by hand
	}
	if err := CheckGradients(k.params, in.G); err != nil {
		return nil, err
	}
	d, err := Directions(k.c.Base, k.base, k.params, in)
	if err != nil {
		return nil, err
	}
	k.tune(in)
	s := 0.0
	for _, x := range k.s {
		s += x
	}
	for i := range k.params {
		rate := k.c.LearningRate()
		if in.Rates != nil {
			rate = in.Rates[i] * in.Scale
		}
		k.move(i, apoops.Elements[T](d[i]), rate, s)
	}
	return k.dirs, nil
}

// tune moves the factors by Δ as it was before the step.
func (k *mechanic[T]) tune(in Input) {
	total := 0.0
	for _, x := range k.s {
		total += x
	}
	h := array.Inner(k.delta, in.G) +
		k.c.Lambda*total*in.Norm*array.Inner(k.delta, k.weights)/(math.Sqrt(array.SumSquares(k.weights...))+k.c.Eps)
	for i, beta := range k.c.Betas {
		k.m[i] = max(beta*k.m[i], math.Abs(h))
		k.v[i] = beta*beta*k.v[i] + h*h
		k.r[i] = max(0, beta*k.r[i]-k.s[i]*h)
		k.s[i] = (k.c.SInit/float64(len(k.s))*k.m[i] + k.r[i]) / (math.Sqrt(k.v[i]) + k.c.Eps)
	}
}

// move moves Δ by the step of the base, -rate·u, and sets the direction of parameter i from
// θ to θ_1 + s·Δ.
func (k *mechanic[T]) move(i int, u []T, rate, s float64) {
	step, factor, back := T(rate), T(s), T(0)
	if rate > 0 {
		back = T(1 / rate)
	}
	w, x, delta, d := apoops.Elements[T](k.weights[i]), apoops.Elements[T](k.origin[i]), apoops.Elements[T](k.delta[i]), apoops.Elements[T](k.dirs[i])
	par.For(len(w), par.Grain, func(lo, hi int) {
		for j := lo; j < hi; j++ {
			delta[j] -= step * u[j]
			d[j] = back * (w[j] - x[j] - factor*delta[j])
		}
	})
}

func (k *mechanic[T]) Invalidate()     { k.base.Invalidate() }
func (k *mechanic[T]) Fallbacks() int  { return k.base.Fallbacks() }
func (k *mechanic[T]) Notes() []string { return k.base.Notes() }
func (k *mechanic[T]) Graphs() Graphs  { return k.base.Graphs() }

func (k *mechanic[T]) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for i, p := range k.params {
		all = append(all, checkpoint.NamedTensor{Name: p.Name + "/delta", Value: k.delta[i]}, checkpoint.NamedTensor{Name: p.Name + "/origin", Value: k.origin[i]})
	}
	for _, t := range k.base.State() {
		t.Name = "base/" + t.Name
		all = append(all, t)
	}
	for _, n := range []stateNumbers{{"s", k.s}, {"m", k.m}, {"v", k.v}, {"r", k.r}} {
		all = append(all, checkpoint.NamedTensor{Name: n.name, Value: array.Vector(n.values)})
	}
	return all
}
