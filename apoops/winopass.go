package apoops

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/par"
)

const (
	// winoElements bounds the transforms of a group, but for winoColumns tiles:
	// products with fewer are slow.
	winoElements = 1 << 21
	winoColumns  = 128
	// apart keeps the 36 matrices of a transform from the same sets of a cache.
	apart = 16
)

// winoPass goes over groups of images with one of the three products.
type winoPass[T Float] struct {
	winoGrid
	n, in, out   int // images, channels of the source and of the result
	group        int // images of a group
	lanes        int // its tiles, in whole blocks
	weights      winoWeights[T]
	product, add multiplier[T] // add is for all groups but the first
	act          Activation
	biases       []T
	fromDZ, toDZ winoDZ[T] // what the planes of from or to are the dy of
	db           []float64

	// Of the run at hand.
	from, to     []T // N×channels×height×width
	v, m         []T // transforms of source and result: 36 matrices channels×lanes
	first, count int // image and images of the group at hand
	mu           sync.Mutex
	err          error

	sourceBody, resultBody, spreadBody     func(lo, hi int)
	productBody, sumBody, weightBody, back func(lo, hi int)
}

func newWinoPass[T Float](g winoGrid, n, in, out int) *winoPass[T] {
	p := &winoPass[T]{winoGrid: g, n: n, in: in, out: out}
	p.group = min(max(max(winoElements/(winoSize*(in+out)), winoColumns)/g.tiles(), 1), n)
	p.lanes = (p.group*g.tiles() + winoLanes - 1) / winoLanes * winoLanes
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

func (p *winoPass[T]) strideV() int { return p.in*p.lanes + apart }
func (p *winoPass[T]) strideM() int { return p.out*p.lanes + apart }

func (p *winoPass[T]) begin(from, w, to []T) {
	pad := scratchOf[T]()
	p.from, p.to, p.weights.w = from, to, w
	p.weights.u = pad.take(winoSize * p.weights.c * p.weights.o)
	p.v, p.m = pad.take(winoSize*p.strideV()), pad.take(winoSize*p.strideM())
	p.err = nil
}

func (p *winoPass[T]) end() error {
	pad := scratchOf[T]()
	pad.give(p.weights.u)
	pad.give(p.v)
	pad.give(p.m)
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
	size := p.h * p.w
	pad := scratchOf[T]()
	room := pad.take(size)
	for c := lo; c < hi; c++ {
		v, l := p.v[c*p.lanes:], 0
		for n := p.first; n < p.first+p.count; n++ {
			plane := p.fromDZ.plane(p.from, (n*p.in+c)*size, size, room)
			for i := range p.th {
				for j := range p.tw {
					gatherTile(&b, l, &p.winoGrid, plane, i, j)
					if l++; l == winoLanes {
						b.transform(v, p.strideV())
						v, l = v[winoLanes:], 0
					}
				}
			}
		}
		if l > 0 {
			b.transform(v, p.strideV())
		}
	}
	pad.give(room)
}

// results transforms the channels [lo, hi) of the group's result back.
func (p *winoPass[T]) results(lo, hi int) {
	var b winoTiles[T]
	var y winoResults[T]
	size := p.oh * p.ow
	for c := lo; c < hi; c++ {
		var bias T
		if p.biases != nil {
			bias = p.biases[c]
		}
		m, l := p.m[c*p.lanes:], winoLanes
		for n := p.first; n < p.first+p.count; n++ {
			plane := p.to[(n*p.out+c)*size:][:size]
			for i := range p.th {
				for j := range p.tw {
					if l == winoLanes {
						b.results(&y, m, p.strideM())
						m, l = m[winoLanes:], 0
					}
					scatterResult(&y, l, &p.winoGrid, plane, i, j, bias)
					l++
				}
			}
			forward(p.act, plane)
		}
	}
}

// spread transforms dz of the channels [lo, hi) of the group, and sums it.
func (p *winoPass[T]) spread(lo, hi int) {
	var b winoTiles[T]
	var z winoResults[T]
	size := p.oh * p.ow
	pad := scratchOf[T]()
	room := pad.take(size)
	for c := lo; c < hi; c++ {
		m, l := p.m[c*p.lanes:], 0
		for n := p.first; n < p.first+p.count; n++ {
			plane := p.toDZ.plane(p.to, (n*p.out+c)*size, size, room)
			p.db[c] += float64(total(plane))
			for i := range p.th {
				for j := range p.tw {
					gatherResult(&z, l, &p.winoGrid, plane, i, j)
					if l++; l == winoLanes {
						b.spread(&z, m, p.strideM())
						m, l = m[winoLanes:], 0
					}
				}
			}
		}
		// The tiles that are missing in the last group count for nothing.
		for at := p.count * p.tiles() / winoLanes * winoLanes; at < p.lanes; at += winoLanes {
			for i := range z {
				clear(z[i][l:])
			}
			b.spread(&z, m, p.strideM())
			m, l = m[min(winoLanes, len(m)):], 0
		}
	}
	pad.give(room)
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
