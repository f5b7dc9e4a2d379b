package rule

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// soap is the rule of SOAP.
type soap[T apoops.Float] struct {
	Base
	Decayed
	c      SOAPConfig
	parts  []*soapPart[T]
	dirs   []*tensor.Dense
	bounds array.Bounds[T]
	moves  float64 // Reach
}

// soapPart is a parameter of rows×cols, with a basis on each side or nil.
type soapPart[T apoops.Float] struct {
	param       *graph.Param
	rows, cols  int
	left, right *eigenbasis[T]
	m, v        []T
	x, half     []T // scratch
}

func startSOAP[T apoops.Float](c *SOAPConfig, t *Task) Rule {
	r := &soap[T]{c: *c, dirs: array.ZerosLike(t.Params)}
	blocks := map[int]graph.Block{}
	for _, b := range t.Blocks {
		blocks[b.Params[0]] = b
	}
	for i, p := range t.Params {
		size := p.Value.DataSize()
		q := &soapPart[T]{param: p, rows: 1, cols: size, m: make([]T, size), v: make([]T, size)}
		t.Precision.Keep(precision.Momentum, array.Vector(q.m))
		t.Precision.Keep(precision.SecondMoments, array.Vector(q.v))
		if shape := p.Value.Shape(); (p.Matrix || blocks[i].Matrix) && len(shape) > 1 {
			q.rows, q.cols = shape[0], size/shape[0]
			q.left, q.right = basisOf[T](q.rows, c.MaxDim), basisOf[T](q.cols, c.MaxDim)
		}
		q.x, q.half = make([]T, size), make([]T, size)
		r.parts = append(r.parts, q)
		r.bounds.Arrays = append(r.bounds.Arrays, [][]T{apoops.Elements[T](p.Value), q.m, q.v})
	}
	return r
}

// basisOf is nil for a side that is too long.
func basisOf[T apoops.Float](n, maxDim int) *eigenbasis[T] {
	if maxDim > 0 && n > maxDim {
		return nil
	}
	return newEigenbasis[T](n)
}

func (r *soap[T]) Directions(in Input) ([]*tensor.Dense, error) {
	for i, q := range r.parts {
		if err := CheckGradients([]*graph.Param{q.param}, in.G[i:i+1]); err != nil {
			return nil, err
		}
		g, d := apoops.Elements[T](in.G[i]), apoops.Elements[T](r.dirs[i])
		if in.T == 1 {
			if err := r.begin(q, g); err != nil {
				return nil, errors.WithMessagef(err, "trainers: soap: the first bases of %q", q.param.Name)
			}
			clear(d)
			continue
		}
		w := apoops.Elements[T](q.param.Value)
		r.direct(q, d, g, w[:r.DecayLen(i, len(w))], in.T-1)
		r.observe(q, g)
		if (in.T-1)%r.c.BasisEvery == 0 {
			for _, b := range q.bases() {
				b.iterate()
			}
		}
	}
	return r.dirs, nil
}

// bases are those that there are.
func (q *soapPart[T]) bases() (all []*eigenbasis[T]) {
	for _, b := range []*eigenbasis[T]{q.left, q.right} {
		if b != nil {
			all = append(all, b)
		}
	}
	return all
}

// begin takes the first bases.
func (r *soap[T]) begin(q *soapPart[T], g []T) error {
	r.observe(q, g)
	for _, b := range q.bases() {
		if err := b.decompose(); err != nil {
			return err
		}
	}
	return nil
}

// observe advances the statistics.
func (r *soap[T]) observe(q *soapPart[T], g []T) {
	if q.left != nil {
		q.left.add(false, g, q.cols, r.c.Beta2)
	}
	if q.right != nil {
		q.right.add(true, g, q.rows, r.c.Beta2)
	}
}

// into sets y to x in the bases, E_L·x·E_Rᵀ, and with back to E_Lᵀ·x·E_R.
func (q *soapPart[T]) into(y, x []T, back bool) {
	if q.left != nil {
		blas.Gemm(back, false, q.rows, q.cols, q.rows, 1, q.left.e, q.rows, x, q.cols, 0, q.half, q.cols)
		x = q.half
	}
	if q.right == nil {
		copy(y, x)
		return
	}
	blas.Gemm(false, !back, q.rows, q.cols, q.cols, 1, x, q.cols, q.right.e, q.cols, 0, y, q.cols)
}

// direct sets d to the direction of the k-th step that moves something. w are the weights
// that have weight decay, the first ones.
func (r *soap[T]) direct(q *soapPart[T], d, g, w []T, k int) {
	beta1, keep1, beta2, keep2 := T(r.c.Beta1), T(1-r.c.Beta1), T(r.c.Beta2), T(1-r.c.Beta2)
	eps, bias, decay := T(r.c.Eps), T(adamBias(r.c.Beta1, r.c.Beta2, k)), T(r.c.WeightDecay)
	m, v, x := q.m, q.v, q.x
	q.into(x, g, false)
	par.For(len(m), par.Grain, func(lo, hi int) {
		blas.Combine(m[lo:hi], m[lo:hi], g[lo:hi], beta1, keep1)
		blas.AverageSquares(v[lo:hi], x[lo:hi], beta2, keep2)
	})
	q.into(x, m, false)
	par.For(len(m), par.Grain, func(lo, hi int) {
		blas.DivideByRoots(x[lo:hi], x[lo:hi], v[lo:hi], bias, 1, eps)
	})
	q.into(d, x, true)
	par.For(len(w), par.Grain, func(lo, hi int) {
		blas.Axpy(decay, w[lo:hi], d[lo:hi])
	})
}

// StaysFinite has the averages in bases of other steps: Eps alone bounds their ratio.
func (r *soap[T]) StaysFinite(in Input, rates []float64) bool {
	r.moves = 0
	return r.bounds.Hold(func(i int, x []float64) bool {
		if square := in.Norm * in.Norm; !array.Within[T](square) {
			return false
		}
		x[1], x[2] = max(x[1], in.Norm), max(x[2], in.Norm*in.Norm)
		d := 2*x[1]/float64(T(r.c.Eps))/(1-r.c.Beta1) + r.c.WeightDecay*x[0]
		move := float64(T(rates[i])) * d
		r.moves = max(r.moves, move)
		x[0] += move
		return array.Within[T](d)
	})
}

func (r *soap[T]) Reach() float64 { return r.moves }

func (r *soap[T]) Invalidate() { r.bounds.Invalidate() }

// Notes name the parameters without bases, and those with one.
func (r *soap[T]) Notes() []string {
	var vectors, large Simplified
	for _, q := range r.parts {
		switch {
		case q.rows == 1 && q.left == nil && q.right == nil:
			vectors.Add(graph.Block{Name: q.param.Name}, NoMatrix)
		case q.left == nil || q.right == nil:
			large.Add(graph.Block{Name: q.param.Name}, Beyond(r.c.MaxDim))
		}
	}
	return append(vectors.Lines("soap", "AdamW"), large.Sides("soap", "no basis")...)
}

func (r *soap[T]) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	add := func(q *soapPart[T], name string, value *tensor.Dense) {
		all = append(all, checkpoint.NamedTensor{Name: q.param.Name + "/" + name, Value: value})
	}
	for _, q := range r.parts {
		add(q, "m", array.Vector(q.m))
		add(q, "v", array.Vector(q.v))
		if b := q.left; b != nil {
			add(q, "L", array.Matrix(b.p, b.n, b.n))
			add(q, "Q_L", array.Matrix(b.e, b.n, b.n))
		}
		if b := q.right; b != nil {
			add(q, "R", array.Matrix(b.p, b.n, b.n))
			add(q, "Q_R", array.Matrix(b.e, b.n, b.n))
		}
	}
	return all
}
