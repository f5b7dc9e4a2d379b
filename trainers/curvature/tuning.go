package curvature

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// tuned is a preconditioner with a hyperparameter h of its own that can be learned.
type tuned[T apoops.Float] interface {
	preconditioner[T]
	hyperparameter() rule.Hyperparameter
	// tune is called where it is learned, before the first step.
	tune() error
	// set changes it, and renew has P follow. renew counts as observe does.
	set(value float64)
	renew() (failed int, err error)
	// tangent sets t to ∂P(G)/∂log h for block i, after precondition has made d = P(G).
	// The statistics count as fixed.
	tangent(i int, t, d []T)
}

// tuning is the Tunable of a blockwise rule: its weight decay and, where the preconditioner
// is tuned, that hyperparameter. With d = ν·P(G) + λ·θ, whose momentum before the step
// counts as fixed,
//
//	∂d/∂log λ = λ·θ
//	∂d/∂log h = ν·∂P(G)/∂log h + ∂ν/∂log h·P(G)
//
// where ν = √(clip/size) has ∂ν/∂log h = -½·ν·(∂size/∂log h)/size, and 0 where it is 1.
type tuning[T apoops.Float] struct {
	rule     *blockwise[T]
	p        tuned[T] // nil for a preconditioner without
	decay    float64  // λ at the start
	names    []string
	d        blockArrays[T]
	tangents []blockArrays[T]
	looked   int // the step that Look has begun, 0 for none
}

// blockArrays are arrays like the weights, by block and by parameter over the same memory.
type blockArrays[T apoops.Float] struct {
	blocks [][]T
	params []*tensor.Dense
}

func newBlockArrays[T apoops.Float](b *blockwise[T]) blockArrays[T] {
	a := blockArrays[T]{params: make([]*tensor.Dense, len(b.params))}
	for _, k := range b.blocks {
		rest := make([]T, k.Rows*k.Cols)
		a.blocks = append(a.blocks, rest)
		for _, i := range k.Params {
			shape := b.params[i].Value.Shape().Clone()
			n := shape.TotalSize()
			a.params[i] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(rest[:n:n]))
			rest = rest[n:]
		}
	}
	return a
}

func newTuning[T apoops.Float](b *blockwise[T], decay float64) *tuning[T] {
	u := &tuning[T]{rule: b, decay: decay}
	u.p, _ = b.p.(tuned[T])
	return u
}

func (u *tuning[T]) Hyperparameters() []rule.Hyperparameter {
	all := []rule.Hyperparameter{{Name: rule.WeightDecay, Value: u.decay}}
	if u.p != nil {
		all = append(all, u.p.hyperparameter())
	}
	return all
}

func (u *tuning[T]) Tune(names []string) error {
	u.names = names
	for _, name := range names {
		if name != rule.WeightDecay && u.p != nil {
			if err := u.p.tune(); err != nil {
				return err
			}
		}
	}
	return rule.CheckTuned(names, u.Hyperparameters())
}

func (u *tuning[T]) Set(values []float64) {
	for j, name := range u.names {
		if name == rule.WeightDecay {
			u.rule.decay = T(values[j])
		} else {
			u.p.set(values[j])
		}
	}
}

// renew has the preconditioner follow what Set has changed.
func (u *tuning[T]) renew() error {
	if u.p == nil {
		return nil
	}
	failed, err := u.p.renew()
	u.rule.failed[0] += uint64(failed)
	return err
}

// Look advances the statistics, which do not depend on the hyperparameters, but not the
// momentum. Gradients that are there as rows are formed.
func (u *tuning[T]) Look(in rule.Input) ([]*tensor.Dense, [][]*tensor.Dense, error) {
	b := u.rule
	if u.d.blocks == nil {
		u.d = newBlockArrays(b)
		for range u.names {
			u.tangents = append(u.tangents, newBlockArrays(b))
		}
	}
	if err := b.gather(in, true); err != nil {
		return nil, nil, err
	}
	if err := b.observe(in); err != nil {
		return nil, nil, err
	}
	u.looked = in.T
	nu, size, _ := b.precondition(in)
	for i, k := range b.blocks {
		d := u.d.blocks[i]
		copy(d, k.v)
		b.vec.Average(d, k.d, b.momentum, T(nu))
		b.decayed(k, d)
	}
	var tangents [][]*tensor.Dense
	for j, name := range u.names {
		t := u.tangents[j]
		if name == rule.WeightDecay {
			for i, k := range b.blocks {
				array.Fill(t.blocks[i], 0)
				b.decayed(k, t.blocks[i])
			}
		} else {
			u.preconditioned(t.blocks, in, nu, size)
		}
		tangents = append(tangents, t.params)
	}
	return u.d.params, tangents, nil
}

// preconditioned sets t to ∂(ν·P(G))/∂log h.
func (u *tuning[T]) preconditioned(t [][]T, in rule.Input, nu, size float64) {
	b := u.rule
	var change float64 // ∂size/∂log h
	for i, k := range b.blocks {
		if k.failed {
			array.Fill(t[i], 0)
			continue
		}
		u.p.tangent(i, t[i], k.d)
		if rate := b.clipped(k, in); rate > 0 {
			change += rate * rate * b.inner.Product(t[i], k.g)
		}
	}
	var dnu float64
	if nu < 1 {
		dnu = -nu * change / size / 2
	}
	for i, k := range b.blocks {
		b.vec.Average(t[i], k.d, T(nu), T(dnu))
	}
}
