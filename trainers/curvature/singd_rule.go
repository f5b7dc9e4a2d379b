package curvature

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// singd is the preconditioner of SINGD. Of the curvature that it shares with KFAC it has the
// graphs and moments, and no averages.
type singd[T apoops.Float] struct {
	*curvature[T]
	c       SINGDConfig
	pairs   []*rootPair[T] // by block, nil for the plain gradient
	largest float64        // ‖K‖²‖C‖² of a block; 0 for not known
}

// rootPair has K and C of a block, and at an update the moments Ā and Ḡ.
type rootPair[T apoops.Float] struct {
	k, c *root[T]
	a, g []T
	half []T // Kᵀ·g and the like
}

// root is K with M_K, or C with M_C, of n×n.
type root[T apoops.Float] struct {
	n      int
	k, m   []T
	next   []T // of K or of products that lead to it
	nextM  []T
	inner  blas.Inner[T]
	stored []*tensor.Dense // k and m
}

// newRoot has K = I and M = 0. scratch is n×n.
func newRoot[T apoops.Float](n int, scratch []T) *root[T] {
	r := &root[T]{n: n, k: make([]T, n*n), m: make([]T, n*n), next: scratch, nextM: make([]T, n*n)}
	array.Identity(r.k, n, 1)
	r.stored = []*tensor.Dense{array.Matrix(r.k, n, n), array.Matrix(r.m, n, n)}
	return r
}

// rootStep are the settings of a step of K and C.
type rootStep struct {
	rate, momentum float64
	normalize      bool
}

var errNotFinite = errors.New("trainers: singd: a factor is not finite")

// square is ‖K‖².
func (r *root[T]) square() float64 { return r.inner.Product(r.k, r.k) }

// measure leaves Ā·K in next. It returns tr(KᵀĀK)/n and tr(KᵀK)/n.
func (r *root[T]) measure(moment []T) (h, square float64) {
	n := r.n
	blas.Gemm(false, false, n, n, n, 1, moment, n, r.k, n, 0, r.next, n)
	return r.inner.Product(r.k, r.next) / float64(n), r.square() / float64(n)
}

// propose makes the next K and M of Ā·K in next: those for onMoment·H + onSquare·KᵀK. It is
// false where they are not finite.
func (r *root[T]) propose(s rootStep, onMoment, onSquare float64) bool {
	n, half := r.n, 0.5
	if s.normalize {
		half *= 1 - s.momentum
	}
	moment, square := T(onMoment), T(onSquare)
	par.For(n*n, par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			r.next[i] = moment*r.next[i] + square*r.k[i]
		}
	})
	copy(r.nextM, r.m)
	blas.Gemm(true, false, n, n, n, T(half), r.k, n, r.next, n, T(s.momentum), r.nextM, n)
	largest := 0.0
	for i, v := range r.nextM {
		if i%(n+1) == 0 {
			v -= T(half)
			r.nextM[i] = v
		}
		largest = max(largest, math.Abs(float64(v)))
	}
	rate := s.rate
	if s.normalize {
		rate /= max(1, largest)
	}
	copy(r.next, r.k)
	blas.Gemm(false, false, n, n, n, T(-rate), r.k, n, r.nextM, n, 1, r.next, n)
	return array.IsFinite(r.inner.Product(r.next, r.next)) && array.IsFinite(largest)
}

// accept takes what propose has made.
func (r *root[T]) accept() {
	copy(r.k, r.next)
	copy(r.m, r.nextM)
}

func (k *singd[T]) observe(in rule.Input, _ []*gradientBlock[T]) (failed int, err error) {
	moves := k.averages(in.T)
	if err := k.ready(in, moves); err != nil || !moves || k.graph == nil {
		return 0, err
	}
	if err := k.runScaled(in, true, false); err != nil {
		return 0, err
	}
	for _, l := range k.active() {
		a, g, err := k.graph.Moments(l.node)
		if err != nil {
			return 0, err
		}
		p := k.pairs[l.block]
		p.a, p.g = apoops.Elements[T](a), apoops.Elements[T](g)
		if l.updates[0] = 0; graph.Finite(a) && graph.Finite(g) {
			l.updates[0] = 1 // else decompose leaves the layer out
		}
	}
	k.largest = 0
	_, failed, err = k.decompose(k.update, func(l *factors[T]) []*tensor.Dense {
		p := k.pairs[l.block]
		return append(p.k.stored[:2:2], p.c.stored...)
	})
	return failed, err
}

// update moves K and C of a layer by its moments.
func (k *singd[T]) update(l *factors[T]) error {
	p := k.pairs[l.block]
	hk, kk := p.k.measure(p.a)
	hc, cc := p.c.measure(p.g)
	if k.c.KFACLike {
		hk, kk, hc, cc = 1, 1, 1, 1
	}
	s := rootStep{rate: k.c.FactorLR, momentum: k.c.FactorMomentum, normalize: k.c.Normalize}
	okK, okC := p.k.propose(s, hc, k.c.Damping*cc), p.c.propose(s, hk, k.c.Damping*kk)
	if !okK || !okC {
		return errNotFinite
	}
	p.k.accept()
	p.c.accept()
	return nil
}

// reach is ‖K‖²‖C‖²‖g‖ between updates.
func (k *singd[T]) reach(in rule.Input) float64 {
	if k.averages(in.T) {
		return math.Inf(1)
	}
	if k.largest == 0 {
		for _, l := range k.layers {
			p := k.pairs[l.block]
			k.largest = max(k.largest, p.k.square()*p.c.square())
		}
	}
	return in.Norm * k.largest
}

func (k *singd[T]) invalidate() { k.largest = 0 }

func (k *singd[T]) precondition(i int, d, g []T) {
	if k.plain(i) {
		copy(d, g)
		return
	}
	p := k.pairs[i]
	n, m := p.k.n, p.c.n
	blas.Gemm(true, false, n, m, n, 1, p.k.k, n, g, m, 0, p.half, m)
	blas.Gemm(false, false, n, m, n, 1, p.k.k, n, p.half, m, 0, d, m)
	blas.Gemm(false, false, n, m, m, 1, d, m, p.c.k, m, 0, p.half, m)
	blas.Gemm(false, true, n, m, m, 1, p.half, m, p.c.k, m, 0, d, m)
}

func (k *singd[T]) state() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for _, l := range k.layers {
		p := k.pairs[l.block]
		for i, name := range []string{"K", "M_K"} {
			all = append(all, checkpoint.NamedTensor{Name: l.Name + "/" + name, Value: p.k.stored[i]})
		}
		for i, name := range []string{"C", "M_C"} {
			all = append(all, checkpoint.NamedTensor{Name: l.Name + "/" + name, Value: p.c.stored[i]})
		}
	}
	return all
}
