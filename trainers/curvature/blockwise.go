package curvature

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// blockwise is a rule that preconditions the gradient of each block, a matrix G,
// and averages what comes out:
//
//	d = ν·P(G) + WeightDecay·θ
//	v ← Momentum·v + d
//
// ν limits the step where clip is set: with the current rates η before the factor of
// a schedule,
// ν = min(1, √(clip/Σ η²·<P(G), G>)), which keeps the KL divergence that the step
// causes below about clip (Ba, Grosse & Martens 2017). A preconditioned gradient
// that is not finite counts as a fallback and the gradient takes its place.
type blockwise[T apoops.Float] struct {
	rule.Base
	rule.Decayed
	p               preconditioner[T]
	f               factored[T] // p, or nil
	params          []*graph.Param
	blocks          []*gradientBlock[T]
	dirs            []*tensor.Dense // v by parameter
	e               []*tensor.Dense // the last search direction
	momentum, decay T
	clip            float64
	failed          []uint64 // one number
	vec             array.Vectors[T]
	bounds          array.Bounds[T] // of weights and momentum
	owner           []int           // the parameters that they are of
	inner           blas.Inner[T]
	tuning          *tuning[T] // Tunable
}

// preconditioner is what differs between the blockwise rules.
type preconditioner[T apoops.Float] interface {
	// observe advances the statistics with a step. It returns the number of
	// blocks whose statistics could not be used, so that older ones stay.
	observe(in rule.Input, g []*gradientBlock[T]) (failed int, err error)
	// precondition computes d = P(G) for block i.
	precondition(i int, d, g []T)
	// reach bounds the elements of all P(G) of a step before it is observed, +Inf
	// where the statistics may overflow or nothing is known.
	reach(in rule.Input) float64
	invalidate()
	// state lists the arrays of the statistics.
	state() []checkpoint.NamedTensor
	// notes name the blocks that are treated in a simpler form.
	notes() []string
	// graphs are the graphs of the statistics, nil for none.
	graphs() rule.Graphs
}

// gradientBlock is a block with its arrays of a step.
type gradientBlock[T apoops.Float] struct {
	graph.Block
	g []T // the gradient; gathered where the block has several parameters
	d []T // P(G)
	v []T // the momentum
	// step has P(G) in place of d where fromRows is set.
	step     array.RowStep[T]
	formed   []T // the gradient where it was formed from rows
	fromRows bool
	failed   bool // the gradient has taken the place of P(G)
}

// blockwiseSettings are the hyperparameters that all such rules have.
type blockwiseSettings struct{ momentum, decay, clip float64 }

// newBlockwise makes the rule; its preconditioner is made from its blocks.
func newBlockwise[T apoops.Float](t *rule.Task, s blockwiseSettings, build func(blocks []*gradientBlock[T]) preconditioner[T]) *blockwise[T] {
	b := &blockwise[T]{params: t.Params, momentum: T(s.momentum), decay: T(s.decay), clip: s.clip, failed: []uint64{0}}
	b.dirs = make([]*tensor.Dense, len(t.Params))
	for _, q := range t.Blocks {
		k := &gradientBlock[T]{Block: q, d: make([]T, q.Rows*q.Cols), v: make([]T, q.Rows*q.Cols)}
		rest := k.v
		for _, i := range q.Params {
			shape := t.Params[i].Value.Shape().Clone()
			n := shape.TotalSize()
			b.bounds.Arrays = append(b.bounds.Arrays, [][]T{apoops.Elements[T](t.Params[i].Value), rest[:n:n]})
			b.owner = append(b.owner, i)
			b.dirs[i] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(rest[:n:n]))
			rest = rest[n:]
		}
		b.blocks = append(b.blocks, k)
	}
	t.Precision.Keep(precision.Momentum, b.dirs...)
	b.p = build(b.blocks)
	b.f, _ = b.p.(factored[T])
	b.tuning = newTuning(b, s.decay)
	return b
}

// slack is how far rounding may take a preconditioned gradient beyond what it is
// by its formula.
const slack = 1e3

func (b *blockwise[T]) StaysFinite(in rule.Input, rates []float64) bool {
	d := slack * max(in.Norm, b.p.reach(in))
	return b.bounds.Hold(func(i int, x []float64) bool {
		x[1] = float64(b.momentum)*x[1] + d + float64(b.decay)*x[0]
		x[0] += float64(T(rates[b.owner[i]])) * x[1]
		return array.Within[T](d)
	})
}

func (b *blockwise[T]) Invalidate() {
	b.bounds.Invalidate()
	b.p.invalidate()
	b.tuning.looked = 0
}

func (b *blockwise[T]) Directions(in rule.Input) ([]*tensor.Dense, error) {
	if err := b.begin(in); err != nil {
		return nil, err
	}
	nu, _, failed := b.precondition(in)
	b.failed[0] += uint64(failed)
	b.average(T(nu))
	return b.dirs, nil
}

// begin collects the gradients and advances the statistics, unless Look has done it.
func (b *blockwise[T]) begin(in rule.Input) error {
	if b.tuning.looked == in.T {
		b.tuning.looked = 0
		return b.tuning.renew()
	}
	if err := b.gather(in, false); err != nil {
		return err
	}
	return b.observe(in)
}

// gather collects the gradients of the blocks, or leaves them as rows unless they are to be
// formed.
func (b *blockwise[T]) gather(in rule.Input, form bool) error {
	for i, k := range b.blocks {
		if k.fromRows = in.Rows != nil && in.Rows[i].Len() > 0; k.fromRows {
			if form {
				k.form(in.Rows[i])
			}
			continue
		}
		for _, j := range k.Params {
			if err := rule.CheckGradients(b.params[j:j+1], in.G[j:j+1]); err != nil {
				return err
			}
		}
		k.g = array.Gather(k.Block, k.g, in.G)
	}
	return nil
}

// observe advances the statistics.
func (b *blockwise[T]) observe(in rule.Input) error {
	failed, err := b.p.observe(in, b.blocks)
	if err == nil {
		b.failed[0] += uint64(failed)
	}
	return err
}

// precondition makes all P(G). It returns ν and the size that it comes from (rule.KLClip),
// and counts the blocks whose gradient has taken the place of P(G).
func (b *blockwise[T]) precondition(in rule.Input) (nu, size float64, failed int) {
	for i, k := range b.blocks {
		product, ok := b.preconditioned(i, in)
		if k.failed = !ok; !ok {
			failed++
		}
		if rate := b.clipped(k, in); rate > 0 {
			size += rate * rate * product
		}
	}
	return rule.KLClip(b.clip, size), size, failed
}

// clipped is the rate by which a block counts in the KL clip, 0 without one.
func (b *blockwise[T]) clipped(k *gradientBlock[T], in rule.Input) float64 {
	if b.clip > 0 && in.Rates != nil {
		return in.Rates[k.Params[0]]
	}
	return 0
}

// preconditioned makes P(G) of block i and returns <P(G), G>. ok is false where the
// gradient has taken its place.
func (b *blockwise[T]) preconditioned(i int, in rule.Input) (product float64, ok bool) {
	k := b.blocks[i]
	if k.fromRows {
		return b.preconditionedRows(i, in.Rows[i])
	}
	b.p.precondition(i, k.d, k.g)
	if product = b.inner.Product(k.d, k.g); array.IsFinite(product) {
		return product, true
	}
	copy(k.d, k.g)
	return b.inner.Product(k.d, k.g), false
}

// average adds what is new to the momentum.
func (b *blockwise[T]) average(nu T) {
	for i, k := range b.blocks {
		if k.fromRows {
			b.f.add(i, &k.step, k.v, b.momentum, nu)
		} else {
			b.vec.Average(k.v, k.d, b.momentum, nu)
		}
		b.decayed(k, k.v)
	}
}

// decayed adds the weight decay of a block's weights to v.
func (b *blockwise[T]) decayed(k *gradientBlock[T], v []T) {
	if b.decay == 0 {
		return
	}
	for _, i := range k.Params {
		w := apoops.Elements[T](b.params[i].Value)
		n := b.DecayLen(i, len(w))
		b.vec.Average(v[:n], w[:n], 1, b.decay)
		v = v[len(w):]
	}
}

// Fallbacks is the number of times that statistics could not be used.
func (b *blockwise[T]) Fallbacks() int { return int(b.failed[0]) }

func (b *blockwise[T]) Notes() []string { return b.p.notes() }

func (b *blockwise[T]) Graphs() rule.Graphs { return b.p.graphs() }

func (b *blockwise[T]) Tunable() rule.Tunable { return b.tuning }

func (b *blockwise[T]) LineSearch() rule.LineSearch { return b }

func (b *blockwise[T]) State() []checkpoint.NamedTensor {
	all := []checkpoint.NamedTensor{{Name: "fallbacks", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(b.failed))}}
	for i, p := range b.params {
		all = append(all, checkpoint.NamedTensor{Name: p.Name + "/v", Value: b.dirs[i]})
	}
	return append(all, b.p.state()...)
}
