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

// plainCore is what the update shares with what learns P.
type plainCore struct {
	common
	c      PlainConfig
	fsd    learn.Weight // λ_FSD
	region trustRegion
	note   string // on the whole, empty for none
}

// plainUpdate is the update of APO-Precond.
type plainUpdate[T apoops.Float] struct {
	plainCore
	vec    vectors[T]
	sum    blas.Inner[T]
	bounds array.Bounds[T] // by block: weights, momentum, factors

	// The step that Advance began.
	at    int // from 0
	scale float64
}

func newPlainUpdate(c *PlainConfig, t *rule.Task, blocks []graph.Block, fsd learn.Weight) (learn.Update, error) {
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startPlainUpdate[float32], startPlainUpdate[float64])
	if err != nil {
		return nil, errors.WithMessagef(err, "trainers: %s", c.Name())
	}
	return start(c, t, c.shape(t.Params, blocks), fsd)
}

func startPlainUpdate[T apoops.Float](c *PlainConfig, t *rule.Task, blocks []graph.Block, fsd learn.Weight) (learn.Update, error) {
	u := &plainUpdate[T]{plainCore: plainCore{common: common{task: t, params: t.Params, precision: t.Precision}, c: *c, fsd: fsd}}
	if c.Relative != nil {
		u.region = newTrustRegion(c.Relative.Trust)
	}
	for i, b := range blocks {
		k, err := newPlainBlock(c, b, apoops.DtypeOf[T](), t.Seed+uint64(i))
		if err != nil {
			return nil, errors.WithMessagef(err, "trainers: %s: block %q", c.Name(), b.Name)
		}
		u.keep(k)
		u.blocks = append(u.blocks, k)
		u.bounds.Arrays = append(u.bounds.Arrays, u.arrays(k))
	}
	return u, nil
}

func newPlainBlock(c *PlainConfig, b graph.Block, dt tensor.Dtype, seed uint64) (*block, error) {
	if c.Relative != nil && b.Form.Relative() == nil {
		return nil, errors.Errorf("a %s preconditioner is not learned by the relative gradient", b.Form.Name())
	}
	k, err := newBlock(b, form.Setup{Rows: b.Rows, Cols: b.Cols, Dtype: dt, Rate: c.LR, Seed: seed})
	if err != nil {
		return nil, err
	}
	k.scaled = k.zeros()
	if c.momentum() {
		k.m = k.zeros()
	}
	return k, nil
}

// Advance averages gradients where MomentumGradient asks for it.
func (u *plainUpdate[T]) Advance(in rule.Input, scale float64, lookahead bool) ([]*tensor.Dense, error) {
	u.at, u.scale = in.T-1, scale
	for _, b := range u.blocks {
		u.gather(b, in.G)
		if u.c.MomentumMode == MomentumGradient {
			u.vec.Average(apoops.Elements[T](b.m), apoops.Elements[T](b.g), T(u.c.Momentum), T(u.c.Dampening))
		}
	}
	if !lookahead {
		return nil, nil
	}
	return u.inputs(scale), nil
}

func (u *plainUpdate[T]) Move() error {
	for _, b := range u.blocks {
		b.p.Multiply(b.product(), b.input(u.c.MomentumMode))
	}
	mu, kappa := T(u.c.Momentum), T(u.c.Dampening)
	nu := u.trust(u.at)
	for _, b := range u.blocks {
		if u.c.MomentumMode == MomentumPlain {
			u.vec.Average(apoops.Elements[T](b.m), apoops.Elements[T](b.u), mu, kappa*T(nu))
			u.vec.scatter(u.params, b, b.m, T(u.scale))
		} else {
			u.vec.scatter(u.params, b, b.u, T(u.scale*nu))
		}
	}
	return nil
}

// inputs are what P multiplies in the lookahead. The schedule's factor on the
// plainUpdate is one on them; the relative gradient is taken without the schedule.
func (u *plainUpdate[T]) inputs(scale float64) []*tensor.Dense {
	all := make([]*tensor.Dense, len(u.blocks))
	for i, b := range u.blocks {
		array.Copy(b.scaled, b.input(u.c.MomentumMode))
		if u.c.Relative == nil {
			array.Scale(b.scaled, scale)
		}
		all[i] = b.scaled
	}
	return all
}

// gather sets the block's gradient, with that of the L2 penalty.
func (u *plainUpdate[T]) gather(b *block, g []*tensor.Dense) {
	gather[T](b, g)
	if u.c.WeightDecay == 0 {
		return
	}
	if len(b.Params) == 1 { // the trainer's own array
		if b.decayed == nil {
			b.decayed = b.zeros()
		}
		array.Copy(b.decayed, b.g)
		b.g = b.decayed
	}
	u.vec.addDecay(u.Decayed, u.params, b, apoops.Elements[T](b.g), u.c.WeightDecay)
}

// input is what P multiplies: the gradient or its average.
func (b *block) input(mode MomentumMode) *tensor.Dense {
	if mode == MomentumGradient {
		return b.m
	}
	return b.g
}

func (u *plainUpdate[T]) Rows() graph.RowReader { return nil }

// Norms are those of the factors A and B of each block, and of its last factor.
func (u *plainUpdate[T]) Norms() []record.PrecondNorms {
	all := make([]record.PrecondNorms, len(u.blocks))
	for i, b := range u.blocks {
		norm := make(map[string]float64)
		for j, q := range b.Form.Factors(b.Rows, b.Cols) {
			norm[q.Name] = array.Norm(b.factors[j].Value)
		}
		all[i] = record.PrecondNorms{Block: b.Name, A: norm["A"], B: norm["B"], S: array.Norm(b.factors[len(b.factors)-1].Value)}
	}
	return all
}
