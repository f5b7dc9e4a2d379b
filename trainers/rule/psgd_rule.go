package rule

import (
	"math"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// psgdKron is the rule of PSGD.
type psgdKron[T apoops.Float] struct {
	Base
	Decayed
	c      PSGDKronConfig
	seed   uint64
	parts  []*kronPart[T]
	dirs   []*tensor.Dense
	work   kronWork[T]
	failed []uint64 // one number
	inner  blas.Inner[T]
	bounds array.Bounds[T]
	moves  float64 // Reach
}

// kronPart is a parameter of rows×cols. left is nil for one that is no matrix.
type kronPart[T apoops.Float] struct {
	param       *graph.Param
	rows, cols  int
	m           []T
	left, right *triangle[T]
}

// factors are left, if there is one, and right.
func (q *kronPart[T]) factors() []*triangle[T] {
	if q.left == nil {
		return []*triangle[T]{q.right}
	}
	return []*triangle[T]{q.left, q.right}
}

func startPSGDKron[T apoops.Float](c *PSGDKronConfig, t *Task) Rule {
	r := &psgdKron[T]{c: *c, seed: t.Seed, dirs: array.ZerosLike(t.Params), failed: []uint64{0}}
	blocks := map[int]graph.Block{}
	for _, b := range t.Blocks {
		blocks[b.Params[0]] = b
	}
	side := func(n int) *triangle[T] { return newTriangle[T](n, n == 1 || c.MaxDim > 0 && n > c.MaxDim) }
	for i, p := range t.Params {
		size := p.Value.DataSize()
		q := &kronPart[T]{param: p, rows: 1, cols: size, m: make([]T, size)}
		t.Precision.Keep(precision.Momentum, array.Vector(q.m))
		if shape := p.Value.Shape(); (p.Matrix || blocks[i].Matrix) && len(shape) > 1 {
			q.rows, q.cols = shape[0], size/shape[0]
			q.left, q.right = side(q.rows), side(q.cols)
		} else {
			q.right = newTriangle[T](size, true)
		}
		arrays := [][]T{apoops.Elements[T](p.Value), q.m}
		for _, f := range q.factors() {
			arrays = append(arrays, f.q)
		}
		r.work.fit(size, q.factors())
		r.parts, r.bounds.Arrays = append(r.parts, q), append(r.bounds.Arrays, arrays)
	}
	return r
}

// kronSeed makes the seed of V another than that of dropout's masks.
const kronSeed = 0x95d6a0

// kronPlan is what step t does with the factors. draws has the keys of its V.
type kronPlan struct {
	moves, balances bool
	draws           *rand.Rand
}

// plan is a function of the seed and the step alone.
func (r *psgdKron[T]) plan(t int) kronPlan {
	p := kronPlan{draws: rand.New(rand.NewPCG(r.seed^kronSeed, uint64(t)))}
	probability := max(r.c.MinProbability, math.Exp(-r.c.Anneal*max(0, float64(t-1-r.c.FlatSteps))))
	p.moves = p.draws.Float64() < probability
	p.balances = p.draws.Float64() < r.c.Balance && p.moves
	return p
}

// drawNormal sets v to numbers from N(0, 1), a function of the key alone.
func drawNormal[T apoops.Float](v []T, key uint64) {
	par.For(len(v), par.Grain, func(lo, hi int) {
		rng := rand.New(rand.NewPCG(key, uint64(lo)))
		for i := lo; i < hi; i++ {
			v[i] = T(rng.NormFloat64())
		}
	})
}

func (r *psgdKron[T]) Directions(in Input) ([]*tensor.Dense, error) {
	plan := r.plan(in.T)
	for i, q := range r.parts {
		if err := CheckGradients([]*graph.Param{q.param}, in.G[i:i+1]); err != nil {
			return nil, err
		}
		w := apoops.Elements[T](q.param.Value)
		r.direct(q, apoops.Elements[T](r.dirs[i]), apoops.Elements[T](in.G[i]), w[:r.DecayLen(i, len(w))], in.T, plan)
	}
	return r.dirs, nil
}

// direct sets d to the direction of a parameter at step t. w are the weights that have weight
// decay, the first ones.
func (r *psgdKron[T]) direct(q *kronPart[T], d, g, w []T, t int, plan kronPlan) {
	mu, keep, correction := T(r.c.Momentum), T(1-r.c.Momentum), T(1/(1-math.Pow(r.c.Momentum, float64(t))))
	m, x := q.m, r.work.x[:len(d)]
	par.For(len(d), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			m[i] = mu*m[i] + keep*g[i]
			x[i] = correction * m[i]
		}
	})
	if plan.balances && q.left != nil {
		q.balance()
	}
	if key := plan.draws.Uint64(); plan.moves && !r.learn(q, x, key) {
		r.failed[0]++
	}
	r.whiten(q, x, x)
	r.whitenBack(q, d, x)
	factor, decay := T(r.clip(d)), T(r.c.WeightDecay)
	if q.left == nil {
		decay = 0
	}
	par.For(len(d), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if i < len(w) {
				d[i] = factor*d[i] + decay*w[i]
			} else {
				d[i] = factor * d[i]
			}
		}
	})
}

// clip is the factor that has the rms of u at MaxRMS at most.
func (r *psgdKron[T]) clip(u []T) float64 {
	if r.c.MaxRMS == 0 {
		return 1
	}
	rms := math.Sqrt(r.inner.Product(u, u) / float64(len(u)))
	return min(1, r.c.MaxRMS/(rms+1e-12))
}

// whiten sets y to Q_L·x·Q_Rᵀ. y may be x.
func (r *psgdKron[T]) whiten(q *kronPart[T], y, x []T) { r.bothSides(q, y, x, false) }

// whitenBack sets y to Q_Lᵀ·x·Q_R. y may be x.
func (r *psgdKron[T]) whitenBack(q *kronPart[T], y, x []T) { r.bothSides(q, y, x, true) }

func (r *psgdKron[T]) bothSides(q *kronPart[T], y, x []T, back bool) {
	if q.left != nil {
		half := r.work.half[:len(x)]
		q.left.left(back, half, x, q.cols)
		x = half
	}
	q.right.right(!back, y, x, q.rows)
}

// kronNoise is the part of V in A, the root of float32's precision.
var kronNoise = math.Sqrt(0x1p-23)

// learn moves the factors by the momentum x and a V of that key. It is false where one of
// them has stayed because it would not be finite.
func (r *psgdKron[T]) learn(q *kronPart[T], x []T, key uint64) bool {
	sum := 0.0
	for _, v := range x {
		sum += math.Abs(float64(v))
	}
	if sum == 0 {
		return true
	}
	a, b, noise := r.work.a[:len(x)], r.work.b[:len(x)], T(kronNoise*sum/float64(len(x)))
	drawNormal(b, key)
	par.For(len(x), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a[i] = x[i] + noise*b[i]
		}
	})
	r.whiten(q, a, a)
	if q.left != nil {
		q.left.solveLeft(b, q.cols)
	}
	q.right.solveRight(b, q.rows)
	ok := q.right.move(true, a, b, q.rows, r.c.PrecondLR, &r.work)
	if q.left != nil {
		ok = q.left.move(false, a, b, q.cols, r.c.PrecondLR, &r.work) && ok
	}
	return ok
}

// balance gives both factors the geometric mean of their largest elements.
func (q *kronPart[T]) balance() {
	l, r := q.left.largest(), q.right.largest()
	mean := math.Sqrt(l) * math.Sqrt(r)
	if mean == 0 {
		return
	}
	q.left.scale(mean / l)
	q.right.scale(mean / r)
}

// StaysFinite bounds norms. A step of a factor of n multiplies its norm by 1 + n·PrecondLR
// at most, for the norm that divides it is at least the mean of the eigenvalues.
func (r *psgdKron[T]) StaysFinite(in Input, rates []float64) bool {
	plan := r.plan(in.T)
	r.moves = 0
	return r.bounds.Hold(func(i int, x []float64) bool {
		q := r.parts[i]
		x[1] = max(x[1], in.Norm)
		norms := x[2:]
		if plan.balances && q.left != nil {
			mean := math.Sqrt(norms[0]) * math.Sqrt(norms[1])
			norms[0], norms[1] = float64(q.rows)*mean, float64(q.cols)*mean
		}
		u := x[1] / (1 - r.c.Momentum)
		for j, f := range q.factors() {
			if plan.moves {
				norms[j] *= 1 + float64(f.n)*r.c.PrecondLR
			}
			u *= norms[j] * norms[j]
		}
		if !array.Within[T](u) {
			return false
		}
		if r.c.MaxRMS > 0 {
			u = min(u, r.c.MaxRMS*math.Sqrt(float64(q.rows*q.cols)))
		}
		d := u + r.c.WeightDecay*x[0]
		move := float64(T(rates[i])) * d
		r.moves = max(r.moves, move)
		x[0] += move
		return array.Within[T](d)
	})
}

func (r *psgdKron[T]) Reach() float64 { return r.moves }

func (r *psgdKron[T]) Invalidate() { r.bounds.Invalidate() }

// Fallbacks is the number of steps of parameters whose factors could not be moved.
func (r *psgdKron[T]) Fallbacks() int { return int(r.failed[0]) }

// Notes name the parameters with diagonal factors.
func (r *psgdKron[T]) Notes() []string {
	var vectors, large Simplified
	for _, q := range r.parts {
		switch {
		case q.left == nil:
			vectors.Add(graph.Block{Name: q.param.Name}, NoMatrix)
		case r.c.MaxDim > 0 && max(q.rows, q.cols) > r.c.MaxDim:
			large.Add(graph.Block{Name: q.param.Name}, Beyond(r.c.MaxDim))
		}
	}
	return append(vectors.Lines("psgd-kron", "one diagonal factor"), large.Sides("psgd-kron", "a diagonal factor")...)
}

func (r *psgdKron[T]) State() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for _, q := range r.parts {
		all = append(all, checkpoint.NamedTensor{Name: q.param.Name + "/m", Value: array.Vector(q.m)})
		if q.left != nil {
			all = append(all, checkpoint.NamedTensor{Name: q.param.Name + "/Q_L", Value: q.left.tensor()})
		}
		all = append(all, checkpoint.NamedTensor{Name: q.param.Name + "/Q_R", Value: q.right.tensor()})
	}
	return append(all, checkpoint.NamedTensor{Name: "fallbacks", Value: array.Vector(r.failed)})
}
