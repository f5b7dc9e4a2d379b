package trainers

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
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

// precondBlock is one block at work. Its arrays are in the block's order.
type precondBlock[T apoops.Float] struct {
	graph.Block
	factors []NamedTensor
	g       []T // the gradient; gathered where the block has several parameters
	m       []T // the momentum
	u       []T // P·G or P·m
	scaled  *tensor.Dense
	mul     apoops.Preconditioner[T]
}

func newPrecondForm(c *PrecondConfig, params []*graph.Param, blocks []graph.Block, fsd Weight) (learn.Update, error) {
	make, err := apoops.Choose(params[0].Value.Dtype(), makePrecondForm[float32], makePrecondForm[float64])
	if err != nil {
		return nil, err
	}
	return make(c, params, c.shape(params, blocks), fsd), nil
}

func makePrecondForm[T apoops.Float](c *PrecondConfig, params []*graph.Param, blocks []graph.Block, fsd Weight) learn.Update {
	f := &precondForm[T]{c: *c, params: params, fsd: fsd}
	if c.Relative != nil {
		f.region = newTrustRegion(c.Relative.Trust)
	}
	for _, b := range blocks {
		p := &precondBlock[T]{Block: b}
		for _, q := range b.Factors() {
			p.factors = append(p.factors, NamedTensor{Name: q.Name, Value: tensor.New(tensor.WithShape(q.Shape...), tensor.WithBacking(make([]T, q.Shape.TotalSize())))})
		}
		switch b.Form {
		case graph.Full:
			array.Identity(p.factor(0), b.Rows*b.Cols, T(c.LR))
		case graph.Kronecker:
			array.Identity(p.factor(0), b.Cols, 1)
			array.Identity(p.factor(1), b.Rows, 1)
			array.Fill(p.factor(2), T(c.rootRate()))
		default:
			array.Fill(p.factor(0), T(c.rootRate()))
		}
		size := b.Rows * b.Cols
		p.u = make([]T, size)
		if c.momentum() {
			p.m = make([]T, size)
		}
		p.scaled = tensor.New(tensor.WithShape(b.Rows, b.Cols), tensor.WithBacking(make([]T, size)))
		f.blocks = append(f.blocks, p)
		f.bounds.Arrays = append(f.bounds.Arrays, f.arrays(p))
	}
	return f
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
		b.g = array.Gather(b.Block, b.g, in.G)
		if f.c.MomentumMode == MomentumGradient {
			f.vec.Average(b.m, b.g, T(f.c.Momentum), T(f.c.Dampening))
		}
	}
	if !lookahead {
		return nil, nil
	}
	return f.inputs(scale), nil
}

func (f *precondForm[T]) Move() error {
	for _, b := range f.blocks {
		b.multiply(b.u, b.input(f.c.MomentumMode))
	}
	mu, kappa := T(f.c.Momentum), T(f.c.Dampening)
	nu := f.trust(f.at)
	for _, b := range f.blocks {
		if f.c.MomentumMode == MomentumPlain {
			f.vec.Average(b.m, b.u, mu, kappa*T(nu))
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
		copy(apoops.Elements[T](b.scaled), b.input(f.c.MomentumMode))
		if f.c.Relative == nil {
			array.Scale(b.scaled, scale)
		}
		all[i] = b.scaled
	}
	return all
}

// input is what P multiplies: the gradient or its average.
func (b *precondBlock[T]) input(mode MomentumMode) []T {
	if mode == MomentumGradient {
		return b.m
	}
	return b.g
}

// multiply is dst = P·in.
func (b *precondBlock[T]) multiply(dst, in []T) {
	switch b.Form {
	case graph.Kronecker:
		b.mul.Multiply(dst, b.factor(0), b.factor(1), b.factor(2), in, b.Rows, b.Cols)
	case graph.Full:
		n := len(in)
		blas.Gemm(false, false, n, 1, n, 1, b.factor(0), n, in, 1, 0, dst, 1)
	default:
		s := b.factor(0)
		for i, v := range in {
			k := i % len(s)
			dst[i] = s[k] * s[k] * v
		}
	}
}

// scatter is θ ← θ - scale·u for the block's parameters.
func (f *precondForm[T]) scatter(b *precondBlock[T], u []T, scale T) {
	for _, i := range b.Params {
		w := apoops.Elements[T](f.params[i].Value)
		f.vec.Descend(w, u[:len(w)], scale)
		u = u[len(w):]
	}
}

func (f *precondForm[T]) Bound() {}

// Notes lists the blocks with a diagonal S².
func (f *precondForm[T]) Notes() []string {
	var s rule.Simplified
	for _, b := range f.blocks {
		switch {
		case b.Form != graph.Diagonal:
		case rule.TooLarge(b.Block, f.c.MaxDim):
			s.Add(b.Block, rule.Beyond(f.c.MaxDim))
		default:
			s.Add(b.Block, rule.NoMatrix)
		}
	}
	return s.Lines(f.c.Name(), "diagonal S²")
}

func (f *precondForm[T]) Fallbacks() int { return 0 }

func (f *precondForm[T]) Graphs() rule.Graphs { return nil }

func (f *precondForm[T]) Rates(int, float64) []float64 { return nil }

func (f *precondForm[T]) Norms() []PrecondNorms {
	all := make([]PrecondNorms, len(f.blocks))
	for i, b := range f.blocks {
		all[i].Block = b.Name
		last := len(b.factors) - 1
		all[i].S = array.Norm(b.factors[last].Value)
		if b.Form == graph.Kronecker {
			all[i].A, all[i].B = array.Norm(b.factors[0].Value), array.Norm(b.factors[1].Value)
		}
	}
	return all
}

func (f *precondForm[T]) State() []NamedTensor {
	var all []NamedTensor
	for _, b := range f.blocks {
		if b.m != nil {
			all = append(all, NamedTensor{Name: b.Name + "/m", Value: tensor.New(tensor.WithShape(b.Rows, b.Cols), tensor.WithBacking(b.m))})
		}
	}
	return all
}
