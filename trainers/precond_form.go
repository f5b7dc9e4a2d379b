package trainers

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/graph/form"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// precondForm is the update of APO-Precond.
type precondForm[T apoops.Float] struct {
	c      PrecondConfig
	params []*graph.Param
	blocks []*precondBlock[T]
	fsd    Weight // λ_FSD
	vec    array.Vectors[T]
	sum    blas.Inner[T]
	region trustRegion
	bounds array.Bounds[T] // by block: weights, momentum, factors

	// The step that Advance began.
	at    int // from 0
	scale float64
}

// precondBlock is a block with its preconditioner. Its arrays are in the block's
// order.
type precondBlock[T apoops.Float] struct {
	graph.Block
	p       form.Preconditioner
	factors []NamedTensor
	g       *tensor.Dense // the gradient; gathered where the block has several parameters
	m       *tensor.Dense // the momentum, nil for none
	u       *tensor.Dense // P·G or P·m
	scaled  *tensor.Dense // what P multiplies in the lookahead
}

func newPrecondForm(c *PrecondConfig, t *rule.Task, blocks []graph.Block, fsd Weight) (learn.Update, error) {
	make, err := apoops.Choose(t.Params[0].Value.Dtype(), makePrecondForm[float32], makePrecondForm[float64])
	if err != nil {
		return nil, err
	}
	return make(c, t, c.shape(t.Params, blocks), fsd)
}

func makePrecondForm[T apoops.Float](c *PrecondConfig, t *rule.Task, blocks []graph.Block, fsd Weight) (learn.Update, error) {
	f := &precondForm[T]{c: *c, params: t.Params, fsd: fsd}
	if c.Relative != nil {
		f.region = newTrustRegion(c.Relative.Trust)
	}
	for i, b := range blocks {
		p, err := newPrecondBlock[T](c, b, t.Seed+uint64(i))
		if err != nil {
			return nil, errors.WithMessagef(err, "trainers: %s: block %q", c.Name(), b.Name)
		}
		f.blocks = append(f.blocks, p)
		f.bounds.Arrays = append(f.bounds.Arrays, f.arrays(p))
	}
	return f, nil
}

func newPrecondBlock[T apoops.Float](c *PrecondConfig, b graph.Block, seed uint64) (*precondBlock[T], error) {
	if c.Relative != nil && b.Form.Relative() == nil {
		return nil, errors.Errorf("a %s preconditioner is not learned by the relative gradient", b.Form.Name())
	}
	p, err := form.Start(b.Form, form.Setup{Rows: b.Rows, Cols: b.Cols, Dtype: apoops.DtypeOf[T](), Rate: c.LR, Seed: seed})
	if err != nil {
		return nil, err
	}
	size := b.Rows * b.Cols
	k := &precondBlock[T]{Block: b, p: p, u: array.Matrix(make([]T, size), b.Rows, b.Cols), scaled: array.Matrix(make([]T, size), b.Rows, b.Cols)}
	if c.momentum() {
		k.m = array.Matrix(make([]T, size), b.Rows, b.Cols)
	}
	if len(b.Params) > 1 {
		k.g = array.Matrix(make([]T, size), b.Rows, b.Cols)
	}
	for i, q := range b.Factors() {
		k.factors = append(k.factors, NamedTensor{Name: q.Name, Value: p.Factors()[i]})
	}
	return k, nil
}

func (b *precondBlock[T]) factor(i int) []T { return apoops.Elements[T](b.factors[i].Value) }

func (f *precondForm[T]) Lookahead() graph.Lookahead {
	l := graph.PrecondLookahead{}
	for _, b := range f.blocks {
		l.Blocks = append(l.Blocks, b.Block)
	}
	return l
}

func (f *precondForm[T]) Phi() []NamedTensor {
	var all []NamedTensor
	for _, b := range f.blocks {
		all = append(all, b.factors...)
	}
	return all
}

// Advance averages gradients where MomentumGradient asks for it.
func (f *precondForm[T]) Advance(in rule.Input, scale float64, lookahead bool) ([]*tensor.Dense, error) {
	f.at, f.scale = in.T-1, scale
	for _, b := range f.blocks {
		b.gather(in.G)
		if f.c.MomentumMode == MomentumGradient {
			f.vec.Average(apoops.Elements[T](b.m), apoops.Elements[T](b.g), T(f.c.Momentum), T(f.c.Dampening))
		}
	}
	if !lookahead {
		return nil, nil
	}
	return f.inputs(scale), nil
}

func (f *precondForm[T]) Move() error {
	for _, b := range f.blocks {
		b.p.Multiply(b.u, b.input(f.c.MomentumMode))
	}
	mu, kappa := T(f.c.Momentum), T(f.c.Dampening)
	nu := f.trust(f.at)
	for _, b := range f.blocks {
		if f.c.MomentumMode == MomentumPlain {
			f.vec.Average(apoops.Elements[T](b.m), apoops.Elements[T](b.u), mu, kappa*T(nu))
			f.scatter(b, b.m, T(f.scale))
		} else {
			f.scatter(b, b.u, T(f.scale*nu))
		}
	}
	return nil
}

// inputs are what P multiplies in the lookahead. The schedule's factor on the
// update is one on them; relative steps learn P without the schedule.
func (f *precondForm[T]) inputs(scale float64) []*tensor.Dense {
	all := make([]*tensor.Dense, len(f.blocks))
	for i, b := range f.blocks {
		array.Copy(b.scaled, b.input(f.c.MomentumMode))
		if f.c.Relative == nil {
			array.Scale(b.scaled, scale)
		}
		all[i] = b.scaled
	}
	return all
}

// gather sets g to the gradient of the block.
func (b *precondBlock[T]) gather(g []*tensor.Dense) {
	if len(b.Params) == 1 {
		b.g = g[b.Params[0]]
		return
	}
	array.Gather(b.Block, apoops.Elements[T](b.g), g)
}

// input is what P multiplies: the gradient or its average.
func (b *precondBlock[T]) input(mode MomentumMode) *tensor.Dense {
	if mode == MomentumGradient {
		return b.m
	}
	return b.g
}

// scatter is θ ← θ - scale·u for the block's parameters.
func (f *precondForm[T]) scatter(b *precondBlock[T], update *tensor.Dense, scale T) {
	u := apoops.Elements[T](update)
	for _, i := range b.Params {
		w := apoops.Elements[T](f.params[i].Value)
		f.vec.Descend(w, u[:len(w)], scale)
		u = u[len(w):]
	}
}

func (f *precondForm[T]) Bound() {}

// Notes lists the blocks that have a form for want of a better one.
func (f *precondForm[T]) Notes() []string {
	var all []string
	for _, note := range f.formNotes() {
		var s rule.Simplified
		for _, b := range f.blocks {
			switch {
			case b.Form.Note() != note:
			case rule.TooLarge(b.Block, f.c.MaxDim):
				s.Add(b.Block, rule.Beyond(f.c.MaxDim))
			default:
				s.Add(b.Block, rule.NoMatrix)
			}
		}
		all = append(all, s.Lines(f.c.Name(), note)...)
	}
	return all
}

// formNotes are the notes of the blocks' forms, each once.
func (f *precondForm[T]) formNotes() []string {
	var all []string
	for _, b := range f.blocks {
		if note := b.Form.Note(); note != "" && !slices.Contains(all, note) {
			all = append(all, note)
		}
	}
	return all
}

func (f *precondForm[T]) Fallbacks() int { return 0 }

func (f *precondForm[T]) Graphs() rule.Graphs { return nil }

func (f *precondForm[T]) Rates(int, float64) []float64 { return nil }

// Norms are those of the factors A and B of each block, and of its last factor.
func (f *precondForm[T]) Norms() []PrecondNorms {
	all := make([]PrecondNorms, len(f.blocks))
	for i, b := range f.blocks {
		norm := make(map[string]float64)
		for j, q := range b.Form.Factors(b.Rows, b.Cols) {
			norm[q.Name] = array.Norm(b.factors[j].Value)
		}
		all[i] = PrecondNorms{Block: b.Name, A: norm["A"], B: norm["B"], S: array.Norm(b.factors[len(b.factors)-1].Value)}
	}
	return all
}

func (f *precondForm[T]) State() []NamedTensor {
	var all []NamedTensor
	for _, b := range f.blocks {
		if b.m != nil {
			all = append(all, NamedTensor{Name: b.Name + "/m", Value: b.m})
		}
	}
	return all
}
