package precond

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// core is what the update shares with its learner.
type core struct {
	common
	c        Config
	settings *learn.Settings
	// warmUp is called before a step is formed while no probe was drawn, or no rate found;
	// nil for none.
	warmUp  func(in rule.Input, scale float64) error
	damping damping
	probes  []float64 // one number: those drawn so far
	nu      float64   // of the step that Advance began
	// found is one number: the factor on 1/λ_FSD, 1 where LR is given, 0 until it is found.
	found []float64
	along func(in rule.Input) func(r float64) []*tensor.Dense
	// moved is set by the learner when it has changed φ.
	moved bool
	seen  []measured // by block, at the last meta-step
	// lost are the blocks that got another form for want of rows; nil for none.
	lost []bool
	// norms is the learner's part of Norms; nil where P is not learned.
	norms func() []record.PrecondNorms
}

// update is the update of Config: U = P·G and its momentum m.
type update[T apoops.Float] struct {
	core
	vec    vectors[T]
	sum    blas.Inner[T]
	bounds array.Bounds[T] // by block: weights and momentum
	reach  []float64       // by block: bound of P
	steps  []rowStep[T]    // by block

	// The step that Advance began.
	rate, scale float64
}

func newUpdate(c *Config, t *rule.Task, blocks []graph.Block, s *learn.Settings) (learn.Update, error) {
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startUpdate[float32], startUpdate[float64])
	if err != nil {
		return nil, errors.WithMessagef(err, "trainers: %s", c.Name())
	}
	return start(c, t, blocks, s)
}

func startUpdate[T apoops.Float](c *Config, t *rule.Task, blocks []graph.Block, s *learn.Settings) (learn.Update, error) {
	u := &update[T]{core: core{common: common{task: t, params: t.Params, precision: t.Precision}, c: *c, settings: s, probes: make([]float64, 1), moved: true, damping: newDamping(), found: []float64{1}}}
	if u.along = u.lineOf; c.LR == 0 {
		u.found[0] = 0
	}
	for i, b := range blocks {
		k, err := newBlock(b, form.Setup{Rows: b.Rows, Cols: b.Cols, Dtype: apoops.DtypeOf[T](), Rate: 1, Seed: t.Seed + uint64(i)})
		if err != nil {
			return nil, errors.WithMessagef(err, "trainers: %s: block %q", c.Name(), b.Name)
		}
		k.m = k.zeros()
		u.keep(k)
		u.blocks = append(u.blocks, k)
		arrays := [][]T{apoops.Elements[T](k.m)}
		for _, i := range b.Params {
			arrays = append(arrays, apoops.Elements[T](u.params[i].Value))
		}
		u.bounds.Arrays = append(u.bounds.Arrays, arrays)
	}
	u.steps = make([]rowStep[T], len(blocks))
	u.reach, u.seen = make([]float64, len(blocks)), make([]measured, len(blocks))
	return u, nil
}

// cold reports whether the warm-up is still to come, or the search for a rate.
func (c *core) cold() bool { return c.warmUp != nil && (c.probes[0] == 0 || c.found[0] == 0) }

// shared is implemented by update of any dtype.
func (c *core) shared() *core { return c }

// Advance forms the step with P as it is. There is no lookahead with inputs: the
// learner takes the limit ε → 0.
func (u *update[T]) Advance(in rule.Input, scale float64, _ bool) ([]*tensor.Dense, error) {
	if u.cold() {
		if err := u.warmUp(in, scale); err != nil {
			return nil, err
		}
	}
	rate, _, err := u.strengths(in.T-1, scale)
	if err != nil {
		return nil, err
	}
	products := 0.0
	for i, b := range u.blocks {
		if u.steps[i].begin(b, i, in) {
			products += u.steps[i].Product()
			continue
		}
		gather[T](b, in.G)
		b.p.Multiply(b.product(), b.g)
		products += u.sum.Product(apoops.Elements[T](b.g), apoops.Elements[T](b.u))
	}
	u.rate, u.scale = rate, scale
	u.nu = rule.KLClip(u.c.Clip*u.damping.units(), rate*rate*products)
	u.damping.peak[0] = max(u.damping.peak[0], scale)
	u.damping.follow(in.Loss, u.c.DampingDecay)
	return nil, nil
}

func (u *update[T]) Move() error {
	for i, b := range u.blocks {
		if s := &u.steps[i]; s.taken {
			s.Average(apoops.Elements[T](b.m), T(u.c.Momentum), T(u.nu))
		} else {
			u.vec.Average(apoops.Elements[T](b.m), apoops.Elements[T](b.u), T(u.c.Momentum), T(u.nu))
		}
		u.vec.addDecay(u.Decayed, u.params, b, apoops.Elements[T](b.m), u.c.WeightDecay)
		u.vec.scatter(u.params, b, b.m, T(u.scale*u.rate))
	}
	return nil
}

// StaysFinite goes by the norms of weights and momentum. The learner keeps φ finite by
// itself.
func (u *update[T]) StaysFinite(in rule.Input, scale float64, _ bool, growth float64) bool {
	rate, damping, err := u.strengths(in.T-1, scale)
	if err != nil || growth > 0 {
		return false
	}
	if u.found[0] == 0 {
		rate = mostRate / u.settings.FSD(in.T-1)
	}
	u.measure(damping)
	return u.bounds.Hold(func(i int, x []float64) bool {
		whole := u.reach[i] * max(in.Norm, 1)
		x[0] = u.c.Momentum*x[0] + whole
		for _, w := range x[1:] {
			x[0] += float64(T(u.c.WeightDecay)) * w
		}
		for j := range x[1:] {
			x[1+j] += scale * rate * x[0]
		}
		return array.Within[T](whole)
	})
}

// measure bounds P of each block after φ was changed. The factors are far smaller than
// the weights.
func (u *update[T]) measure(damping float64) {
	if !u.moved {
		return
	}
	for i, b := range u.blocks {
		if u.reach[i] = b.warmReach(damping); !u.cold() {
			u.reach[i] = b.bound()
		}
	}
	u.moved = u.cold()
}

func (u *update[T]) Invalidate() {
	u.bounds.Invalidate()
	u.moved = true
}

// Norms are those of P_A and P_B, or of S, with what the last meta-step measured.
func (u *update[T]) Norms() []record.PrecondNorms {
	if u.norms == nil {
		return nil
	}
	return u.norms()
}

func (u *update[T]) Rows() graph.RowReader { return u }
