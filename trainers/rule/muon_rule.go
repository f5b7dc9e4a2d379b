package rule

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// muon is the rule of Muon.
type muon[T apoops.Float] struct {
	Base
	Decayed
	c      MuonConfig
	parts  []*muonPart[T] // by parameter
	dirs   []*tensor.Dense
	adam   *adam[T]
	bare   *adam[T] // without weight decay
	bounds array.Bounds[T]
	moves  float64 // Reach
}

// muonPart is a parameter: rows×cols elements of a matrix, which may be none, and behind
// them those that AdamW moves.
type muonPart[T apoops.Float] struct {
	param      *graph.Param
	rows, cols int
	scale      float64
	m          []T // of the matrix and of AdamW
	v          []T // of AdamW alone
	ortho      *newtonSchulz[T]
}

func startMuon[T apoops.Float](c *MuonConfig, t *Task) Rule {
	r := &muon[T]{c: *c, dirs: array.ZerosLike(t.Params)}
	r.adam = &adam[T]{c: AdamConfig{Beta1: c.Beta1, Beta2: c.Beta2, Eps: c.Eps, WeightDecay: c.WeightDecay, Decoupled: true}}
	bare := *r.adam
	bare.c.WeightDecay = 0
	r.bare = &bare
	filters := map[int]graph.Block{}
	for _, b := range t.Blocks {
		filters[b.Params[0]] = b
	}
	for i, p := range t.Params {
		q := newMuonPart[T](c, p, filters[i].Matrix)
		t.Precision.Keep(precision.Momentum, array.Vector(q.m))
		if len(q.v) > 0 {
			t.Precision.Keep(precision.SecondMoments, array.Vector(q.v))
		}
		r.parts = append(r.parts, q)
		r.bounds.Arrays = append(r.bounds.Arrays, [][]T{apoops.Elements[T](p.Value), q.m, q.v})
	}
	return r
}

// newMuonPart takes a parameter apart. Filters of outputs×channels×rows×columns are a matrix
// whose rows are outputs; those of other matrices are inputs.
func newMuonPart[T apoops.Float](c *MuonConfig, p *graph.Param, matrix bool) *muonPart[T] {
	shape, size := p.Value.Shape(), p.Value.DataSize()
	q := &muonPart[T]{param: p, m: make([]T, size)}
	if (p.Matrix || matrix) && len(shape) > 1 && !slices.Contains(c.AdamW, p.Name) {
		q.rows, q.cols = shape[0], size/shape[0]
		if p.Bias {
			q.rows--
		}
	}
	q.v = make([]T, size-q.rows*q.cols)
	if q.rows*q.cols == 0 {
		return q
	}
	q.ortho = newNewtonSchulz[T](q.rows, q.cols)
	inputs, outputs := float64(q.rows), float64(q.cols)
	if len(shape) > 2 {
		inputs, outputs = outputs, inputs
	}
	if q.scale = math.Sqrt(max(1, outputs/inputs)); c.Scale == ScaleRMS {
		q.scale = 0.2 * math.Sqrt(max(inputs, outputs))
	}
	return q
}

func (r *muon[T]) Directions(in Input) ([]*tensor.Dense, error) {
	for i, q := range r.parts {
		if err := CheckGradients([]*graph.Param{q.param}, in.G[i:i+1]); err != nil {
			return nil, err
		}
		w, g, d := apoops.Elements[T](q.param.Value), apoops.Elements[T](in.G[i]), apoops.Elements[T](r.dirs[i])
		n, first := q.rows*q.cols, r.DecayLen(i, len(w))
		if n > 0 {
			r.matrix(q, d[:n], w[:min(first, n)], g)
		}
		cut := max(first, n)
		m, v := q.m[n:], q.v
		r.rest(r.adam, d[n:cut], w[n:cut], g[n:cut], m[:cut-n], v[:cut-n], in.T)
		r.rest(r.bare, d[cut:], w[cut:], g[cut:], m[cut-n:], v[cut-n:], in.T)
	}
	return r.dirs, nil
}

// matrix sets d to the direction of a matrix, whose first elements w have weight decay.
func (r *muon[T]) matrix(q *muonPart[T], d, w, g []T) {
	mu, keep, decay, scale := T(r.c.Momentum), T(1-r.c.Momentum), T(r.c.WeightDecay), T(q.scale)
	m := q.m
	par.For(len(d), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			m[i] = mu*m[i] + keep*g[i]
			if d[i] = m[i]; r.c.Nesterov {
				d[i] = keep*g[i] + mu*m[i]
			}
		}
	})
	q.ortho.orthogonalise(d, r.c.Steps)
	par.For(len(d), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if i < len(w) {
				d[i] = scale*d[i] + decay*w[i]
			} else {
				d[i] = scale * d[i]
			}
		}
	})
}

// ratio is AdamW's rate over Muon's.
func (r *muon[T]) ratio() float64 { return r.c.AdamRate / r.c.LR }

// rest sets d to the direction of what AdamW moves, with the moments m and v.
func (r *muon[T]) rest(adam *adam[T], d, w, g, m, v []T, t int) {
	adam.Begin(t)
	ratio := T(r.ratio())
	par.For(len(d), par.Grain, func(lo, hi int) {
		part := d[lo:hi]
		adam.Direction(part, w[lo:hi], g[lo:hi], [][]T{m[lo:hi], v[lo:hi]})
		for i := range part {
			part[i] *= ratio
		}
	})
}

// StaysFinite knows that the iteration leaves singular values below 2.
func (r *muon[T]) StaysFinite(in Input, rates []float64) bool {
	r.adam.Begin(in.T)
	r.moves = 0
	return r.bounds.Hold(func(i int, x []float64) bool {
		q, d := r.parts[i], 0.0
		if q.ortho != nil {
			d = 2*q.scale*math.Sqrt(float64(min(q.rows, q.cols))) + r.c.WeightDecay*x[0]
			x[1] = max(x[1], in.Norm)
		}
		if len(q.v) > 0 {
			d = max(d, r.ratio()*r.adam.Reach(x[0], in.Norm, x[1:]))
		}
		move := float64(T(rates[i])) * d
		r.moves = max(r.moves, move)
		x[0] += move
		return array.Within[T](d)
	})
}

func (r *muon[T]) Reach() float64 { return r.moves }

func (r *muon[T]) Invalidate() { r.bounds.Invalidate() }

// Notes name the parameters that AdamW moves whole.
func (r *muon[T]) Notes() []string {
	var names []string
	for _, q := range r.parts {
		if q.ortho == nil {
			names = append(names, q.param.Name)
		}
	}
	if names == nil {
		return nil
	}
	return []string{fmt.Sprintf("muon: AdamW for %s: %s", strings.Join(names, ", "), NoMatrix)}
}

func (r *muon[T]) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for _, q := range r.parts {
		all = append(all, checkpoint.NamedTensor{Name: q.param.Name + "/m", Value: array.Vector(q.m)})
		if len(q.v) > 0 {
			all = append(all, checkpoint.NamedTensor{Name: q.param.Name + "/v", Value: array.Vector(q.v)})
		}
	}
	return all
}
