package apoops

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// winograd computes a convolution of kernel 3×3 and stride 1 by Winograd's
// algorithm: a tile of 4×4 results takes 36 products for each pair of channels
// instead of 144, as 36 matrix products over the tiles of a group of images. The
// transforms of a group, its products and the transforms back run one after the
// other, each on all cores, so memory is bounded and results do not depend on the
// number of cores.
type winograd[T Float] struct {
	Conv
	n, c, outputs         int
	forwardGrid, gradGrid winoGrid // from x to y, from dy to dx

	// Of the run at hand.
	pass[T]
	w, u       []T // W and its transform: 36 matrices C×O; dW and its own in gradW
	dy, y      []T
	db         []float64
	source     func(lo, hi int)
	results    func(lo, hi int)
	resultGrad func(lo, hi int)
	product    func(lo, hi int)
	productX   func(lo, hi int)
	productW   func(lo, hi int)
	weights    func(lo, hi int)
	rotated    func(lo, hi int)
	weightGrad func(lo, hi int)
}

// pass is one pass over groups of images from planes to planes.
type pass[T Float] struct {
	grid         *winoGrid
	from, to     []T // N×channels×height×width
	in, out      int // channels
	group        int // images of a group
	first, count int // image and images of the group at hand
	lanes        int // tiles of a whole group, in whole blocks
	v, m         []T // transforms of the group's source and result: 36 matrices channels×lanes
	biases       []T
}

// apart keeps the 36 matrices of a transform from the same sets of a cache.
const apart = 16

func (p *pass[T]) strideV() int { return p.in*p.lanes + apart }
func (p *pass[T]) strideM() int { return p.out*p.lanes + apart }

// winograds tells whether the algorithm is for this geometry.
func winograds(c Conv) bool {
	one := [2]int{1, 1}
	return c.Kernel == [2]int{3, 3} && c.Stride == one && c.Dilation == one && max(c.Pad[0], c.Pad[1]) <= 2
}

func newWinograd[T Float](c Conv, x tensor.Shape, outputs int) *winograd[T] {
	c = c.filled()
	oh, ow := c.OutSize(x[2], x[3])
	k := &winograd[T]{Conv: c, n: x[0], c: x[1], outputs: outputs,
		forwardGrid: newWinoGrid(x[2], x[3], c.Pad[0], c.Pad[1], oh, ow),
		gradGrid:    newWinoGrid(oh, ow, 2-c.Pad[0], 2-c.Pad[1], x[2], x[3]),
		db:          make([]float64, outputs),
	}
	k.source, k.results, k.resultGrad = k.sourceChannels, k.resultChannels, k.gradChannels
	k.product, k.productX, k.productW = k.multiply, k.multiplyX, k.multiplyW
	k.weights, k.rotated, k.weightGrad = k.transformWeights, k.transformRotated, k.transformGrad
	return k
}

// winoElements bounds the transforms of a group, but for winoColumns tiles, with
// fewer of which products are slow.
const (
	winoElements = 1 << 21
	winoColumns  = 128
)

// begin prepares a pass from the planes of one number of channels to those of
// another.
func (k *winograd[T]) begin(g *winoGrid, from, to []T, in, out int) {
	tiles := g.tiles()
	group := max(winoElements/(winoSize*(in+out)), winoColumns) / tiles
	k.pass = pass[T]{grid: g, from: from, to: to, in: in, out: out, group: min(max(group, 1), k.n)}
	k.lanes = (k.group*tiles + winoLanes - 1) / winoLanes * winoLanes
	pad := scratchOf[T]()
	k.u = pad.take(winoSize * k.c * k.outputs)
	k.v, k.m = pad.take(winoSize*k.strideV()), pad.take(winoSize*k.strideM())
}

func (k *winograd[T]) end() {
	pad := scratchOf[T]()
	pad.give(k.u)
	pad.give(k.v)
	pad.give(k.m)
	k.pass = pass[T]{}
	k.w, k.u, k.dy, k.y = nil, nil, nil, nil
}

func (k *winograd[T]) forward(x, w, y []T) error {
	k.begin(&k.forwardGrid, x, y, k.c, k.outputs)
	k.w = w
	if !k.NoBias {
		k.biases = w[k.c*9*k.outputs:]
	}
	par.For(k.c, 1, k.weights)
	for k.first = 0; k.first < k.n; k.first += k.group {
		k.count = min(k.group, k.n-k.first)
		par.For(k.in, 1, k.source)
		par.For(winoSize, 1, k.product)
		par.For(k.out, 1, k.results)
	}
	k.end()
	return nil
}

func (k *winograd[T]) gradX(dy, y, w, dx []T) error {
	pad := scratchOf[T]()
	dz := dy
	if k.Activation != Identity {
		dz = pad.take(len(dy))
		backward(k.Activation, dz, y, dy)
		defer pad.give(dz)
	}
	k.begin(&k.gradGrid, dz, dx, k.outputs, k.c)
	k.w = w
	par.For(k.c, 1, k.rotated)
	for k.first = 0; k.first < k.n; k.first += k.group {
		k.count = min(k.group, k.n-k.first)
		par.For(k.in, 1, k.source)
		par.For(winoSize, 1, k.productX)
		par.For(k.out, 1, k.results)
	}
	k.end()
	return nil
}

func (k *winograd[T]) gradW(x, dy, y, dw []T) error {
	k.begin(&k.forwardGrid, x, nil, k.c, k.outputs)
	k.w, k.dy, k.y = dw, dy, y
	clear(k.db)
	for k.first = 0; k.first < k.n; k.first += k.group {
		k.count = min(k.group, k.n-k.first)
		par.For(k.in, 1, k.source)
		par.For(k.out, 1, k.resultGrad)
		par.For(winoSize, 1, k.productW)
	}
	par.For(k.c, 1, k.weightGrad)
	if !k.NoBias {
		for i, v := range k.db {
			dw[k.c*9*k.outputs+i] = T(v)
		}
	}
	k.end()
	return nil
}

// sourceChannels transforms the channels [lo, hi) of the group's source.
func (k *winograd[T]) sourceChannels(lo, hi int) {
	var b winoTiles[T]
	g, size := k.grid, k.grid.h*k.grid.w
	for c := lo; c < hi; c++ {
		v, l := k.v[c*k.lanes:], 0
		for n := k.first; n < k.first+k.count; n++ {
			plane := k.from[(n*k.in+c)*size:][:size]
			for i := range g.th {
				for j := range g.tw {
					gatherTile(&b, l, g, plane, i, j)
					if l++; l == winoLanes {
						b.transform(v, k.strideV())
						v, l = v[winoLanes:], 0
					}
				}
			}
		}
		if l > 0 {
			b.transform(v, k.strideV())
		}
	}
}

// resultChannels transforms the channels [lo, hi) of the group's result back.
func (k *winograd[T]) resultChannels(lo, hi int) {
	var b winoTiles[T]
	var y winoResults[T]
	g, size := k.grid, k.grid.oh*k.grid.ow
	for c := lo; c < hi; c++ {
		var bias T
		if k.biases != nil {
			bias = k.biases[c]
		}
		m, l := k.m[c*k.lanes:], winoLanes
		for n := k.first; n < k.first+k.count; n++ {
			plane := k.to[(n*k.out+c)*size:][:size]
			for i := range g.th {
				for j := range g.tw {
					if l == winoLanes {
						b.results(&y, m, k.strideM())
						m, l = m[winoLanes:], 0
					}
					scatterResult(&y, l, g, plane, i, j, bias)
					l++
				}
			}
			if k.grid == &k.forwardGrid {
				forward(k.Activation, plane)
			}
		}
	}
}

// gradChannels transforms dz of the channels [lo, hi) of the group, and sums it.
func (k *winograd[T]) gradChannels(lo, hi int) {
	var b winoTiles[T]
	var z winoResults[T]
	g, size := k.grid, k.grid.oh*k.grid.ow
	pad := scratchOf[T]()
	dz := pad.take(size)
	defer pad.give(dz)
	for c := lo; c < hi; c++ {
		m, l := k.m[c*k.lanes:], 0
		for n := k.first; n < k.first+k.count; n++ {
			at := (n*k.out + c) * size
			plane := k.dy[at : at+size]
			if k.Activation != Identity {
				backward(k.Activation, dz, k.y[at:at+size], plane)
				plane = dz
			}
			k.db[c] += float64(total(plane))
			for i := range g.th {
				for j := range g.tw {
					gatherResult(&z, l, g, plane, i, j)
					if l++; l == winoLanes {
						b.fromResults(&z, m, k.strideM())
						m, l = m[winoLanes:], 0
					}
				}
			}
		}
		if l > 0 {
			for ; l < winoLanes; l++ {
				for i := range z {
					z[i][l] = 0
				}
			}
			b.fromResults(&z, m, k.strideM())
		}
	}
}

// matrices are the transforms of number p: of W, the source and the result.
func (k *winograd[T]) matrices(p int) (u, v, m []T) {
	return k.u[p*k.c*k.outputs:], k.v[p*k.strideV():], k.m[p*k.strideM():]
}

func (k *winograd[T]) used() int {
	return (k.count*k.grid.tiles() + winoLanes - 1) / winoLanes * winoLanes
}

func (k *winograd[T]) multiply(lo, hi int) {
	for p := lo; p < hi; p++ {
		u, v, m := k.matrices(p)
		blas.SerialGemm(true, false, k.outputs, k.used(), k.c, 1, u, k.outputs, v, k.lanes, 0, m, k.lanes)
	}
}

func (k *winograd[T]) multiplyX(lo, hi int) {
	for p := lo; p < hi; p++ {
		u, v, m := k.matrices(p)
		blas.SerialGemm(false, false, k.c, k.used(), k.outputs, 1, u, k.outputs, v, k.lanes, 0, m, k.lanes)
	}
}

func (k *winograd[T]) multiplyW(lo, hi int) {
	var beta T = 1
	if k.first == 0 {
		beta = 0
	}
	for p := lo; p < hi; p++ {
		u, v, m := k.matrices(p)
		blas.SerialGemm(false, true, k.c, k.outputs, k.used(), 1, v, k.lanes, m, k.lanes, beta, u, k.outputs)
	}
}

// transformWeights computes G·w·Gᵀ for the input channels [lo, hi).
func (k *winograd[T]) transformWeights(lo, hi int) { k.transformKernels(lo, hi, 0, 1) }

// transformRotated does so for kernels rotated by 180°.
func (k *winograd[T]) transformRotated(lo, hi int) { k.transformKernels(lo, hi, 8, -1) }

// transformKernels takes element i of a kernel from row first + i·step of W.
func (k *winograd[T]) transformKernels(lo, hi, first, step int) {
	o := k.outputs
	for c := lo; c < hi; c++ {
		w, u := k.w[c*9*o:(c+1)*9*o], k.u[c*o:]
		var g [9][]T
		for i := range g {
			g[i] = w[(first+i*step)*o:][:o]
		}
		for l := range o {
			var t [winoIn][3]T
			for j := range 3 {
				t[0][j], t[1][j], t[2][j], t[3][j], t[4][j], t[5][j] = winoWeights(g[j][l], g[3+j][l], g[6+j][l])
			}
			for i := range winoIn {
				u0, u1, u2, u3, u4, u5 := winoWeights(t[i][0], t[i][1], t[i][2])
				for j, v := range [winoIn]T{u0, u1, u2, u3, u4, u5} {
					u[(6*i+j)*k.c*o+l] = v
				}
			}
		}
	}
}

// transformGrad computes Gᵀ·u·G, dW of the input channels [lo, hi).
func (k *winograd[T]) transformGrad(lo, hi int) {
	o := k.outputs
	for c := lo; c < hi; c++ {
		w, u := k.w[c*9*o:(c+1)*9*o], k.u[c*o:]
		for l := range o {
			var t [3][winoIn]T
			for j := range winoIn {
				at := func(i int) T { return u[(6*i+j)*k.c*o+l] }
				t[0][j], t[1][j], t[2][j] = winoWeightsGrad(at(0), at(1), at(2), at(3), at(4), at(5))
			}
			for i := range 3 {
				w0, w1, w2 := winoWeightsGrad(t[i][0], t[i][1], t[i][2], t[i][3], t[i][4], t[i][5])
				w[3*i*o+l], w[(3*i+1)*o+l], w[(3*i+2)*o+l] = w0, w1, w2
			}
		}
	}
}
