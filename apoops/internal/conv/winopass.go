package conv

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

const (
	// winoColumns is about the number of tiles of a group: products with fewer
	// columns are slow, transforms of more leave the cache.
	winoColumns = 256
	// cachePadding keeps the 36 matrices of a transform out of the same cache sets.
	cachePadding = 16
)

// winoPass goes over groups of images with one of the three products.
type winoPass[T Float] struct {
	winoGrid
	n, in, out int // images, channels of the source and of the result
	group      int // images of a group
	lanes      int // its tiles, in whole blocks
	// Where the tiles begin in the frames of a group's planes.
	sourceAt, resultAt [][winoLanes]int32
	weights            winoWeights[T]
	product, add       multiplier[T] // add is for all groups but the first
	act                vmath.Activation
	biases             []T
	fromDZ, toDZ       winoDZ[T] // what the planes of from or to are the dy of
	db                 []float64

	// Of the current run.
	from, to     []T // N×channels×height×width
	v, m         []T // transforms of source and result: 36 matrices channels×lanes
	first, count int // image and images of the current group
	mu           sync.Mutex
	err          error

	sourceBody, resultBody, spreadBody     func(lo, hi int)
	productBody, sumBody, weightBody, back func(lo, hi int)
}

func newWinoPass[T Float](g winoGrid, n, in, out int) *winoPass[T] {
	p := &winoPass[T]{winoGrid: g, n: n, in: in, out: out}
	p.group = min(max(winoColumns/g.tiles(), 1), n)
	p.sourceAt, p.resultAt = g.starts(p.group, 2), g.starts(p.group, 0)
	p.lanes = len(p.sourceAt) * winoLanes
	p.sourceBody, p.resultBody, p.spreadBody = p.sources, p.results, p.spread
	p.productBody, p.sumBody = p.products, p.sums
	p.weightBody = func(lo, hi int) { p.weights.transform(lo, hi) }
	p.back = func(lo, hi int) { p.weights.transformBack(lo, hi) }
	return p
}

// layouts are those of one matrix of v and of m.
func (p *winoPass[T]) layouts() (v, m dnn.Matrix) {
	return dnn.Matrix{Rows: p.in, Cols: p.lanes, Stride: p.lanes}, dnn.Matrix{Rows: p.out, Cols: p.lanes, Stride: p.lanes}
}

func (p *winoPass[T]) strideV() int { return p.in*p.lanes + cachePadding }
func (p *winoPass[T]) strideM() int { return p.out*p.lanes + cachePadding }

func (p *winoPass[T]) begin(from, w, to []T) {
	p.from, p.to, p.weights.w = from, to, w
	p.weights.u = scratch.Get[T](winoSize * p.weights.stride())
	p.v, p.m = scratch.Get[T](winoSize*p.strideV()), scratch.Get[T](winoSize*p.strideM())
	p.err = nil
}

func (p *winoPass[T]) end() error {
	scratch.Put(p.weights.u)
	scratch.Put(p.v)
	scratch.Put(p.m)
	p.from, p.to, p.v, p.m, p.biases, p.db = nil, nil, nil, nil, nil, nil
	p.weights.w, p.weights.u, p.fromDZ, p.toDZ = nil, nil, winoDZ[T]{}, winoDZ[T]{}
	return p.err
}

// run computes the result from the source and W.
func (p *winoPass[T]) run(from, w, to []T) error {
	p.begin(from, w, to)
	p.weights.all(p.weightBody)
	for p.first = 0; p.first < p.n; p.first += p.group {
		p.count = min(p.group, p.n-p.first)
		par.For(p.in, 1, p.sourceBody)
		par.For(winoSize, 1, p.productBody)
		par.For(p.out, 1, p.resultBody)
	}
	return p.end()
}

// runBack computes dW from the source and dy, and adds the sums of dz to db.
func (p *winoPass[T]) runBack(from, dy, dw []T, db []float64) error {
	p.begin(from, dw, dy)
	p.db = db
	for p.first = 0; p.first < p.n; p.first += p.group {
		p.count = min(p.group, p.n-p.first)
		par.For(p.in, 1, p.sourceBody)
		par.For(p.out, 1, p.spreadBody)
		par.For(winoSize, 1, p.sumBody)
	}
	p.weights.all(p.back)
	return p.end()
}

// sources transforms the channels [lo, hi) of the group's source.
func (p *winoPass[T]) sources(lo, hi int) {
	var b winoTiles[T]
	h, w := p.frame(2)
	size := p.h * p.w
	frames, room := scratch.Get[T](p.frames(p.group, 2)), scratch.Get[T](size)
	clear(frames)
	for c := lo; c < hi; c++ {
		for i := range p.count {
			plane := p.fromDZ.plane(p.from, ((p.first+i)*p.in+c)*size, size, room)
			frameOf(frames[i*h*w:(i+1)*h*w], w, plane, p.h, p.w, p.padH, p.padW)
		}
		for i := range p.sourceAt {
			b.transform(p.v[c*p.lanes+i*winoLanes:], p.strideV(), frames, w, &p.sourceAt[i])
		}
	}
	scratch.Put(room)
	scratch.Put(frames)
}

// results transforms the channels [lo, hi) of the group's result back.
func (p *winoPass[T]) results(lo, hi int) {
	var b winoTiles[T]
	h, w := p.frame(0)
	frames := scratch.Get[T](p.frames(p.group, 0))
	for c := lo; c < hi; c++ {
		var bias T
		if p.biases != nil {
			bias = p.biases[c]
		}
		for i := range p.resultAt {
			b.results(p.m[c*p.lanes+i*winoLanes:], p.strideM(), frames, w, &p.resultAt[i])
		}
		for i := range p.count {
			plane := p.to[((p.first+i)*p.out+c)*p.oh*p.ow:][:p.oh*p.ow]
			for r := range p.oh {
				finishRow(p.act, plane[r*p.ow:(r+1)*p.ow], frames[(i*h+r)*w:], bias)
			}
		}
	}
	scratch.Put(frames)
}

// finishRow sets y = act(z + bias).
func finishRow[T Float](act vmath.Activation, y, z []T, bias T) {
	z = z[:len(y)]
	if act == vmath.ReLU {
		for i, v := range z {
			y[i] = max(v+bias, 0)
		}
		return
	}
	for i, v := range z {
		y[i] = v + bias
	}
	vmath.Forward(act, y)
}

// spread transforms dz of the channels [lo, hi) of the group, and sums it.
func (p *winoPass[T]) spread(lo, hi int) {
	var b winoTiles[T]
	h, w := p.frame(0)
	size := p.oh * p.ow
	frames, room := scratch.Get[T](p.frames(p.group, 0)), scratch.Get[T](size)
	clear(frames) // those of images that are missing stay 0 and count for nothing
	for c := lo; c < hi; c++ {
		for i := range p.count {
			plane := p.toDZ.plane(p.to, ((p.first+i)*p.out+c)*size, size, room)
			p.db[c] += vmath.Sum64(plane)
			frameOf(frames[i*h*w:(i+1)*h*w], w, plane, p.oh, p.ow, 0, 0)
		}
		for i := range p.resultAt {
			b.spread(p.m[c*p.lanes+i*winoLanes:], p.strideM(), frames, w, &p.resultAt[i])
		}
	}
	scratch.Put(room)
	scratch.Put(frames)
}

// products multiplies the transforms [lo, hi) to those of the result.
func (p *winoPass[T]) products(lo, hi int) {
	for k := lo; k < hi; k++ {
		p.check(p.product.Run(p.weights.matrix(k), p.v[k*p.strideV():], p.m[k*p.strideM():]))
	}
}

// sums multiplies the transforms [lo, hi) of source and dz and adds them up.
func (p *winoPass[T]) sums(lo, hi int) {
	product := p.product
	if p.first > 0 {
		product = p.add
	}
	for k := lo; k < hi; k++ {
		p.check(product.Run(p.v[k*p.strideV():], p.m[k*p.strideM():], p.weights.matrix(k)))
	}
}

func (p *winoPass[T]) check(err error) {
	if err != nil {
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
	}
}
