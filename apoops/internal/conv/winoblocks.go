package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// winoBlocks is Winograd's algorithm for float32 with AVX-512, a vector for dnn.Block
// channels; images may be in blocks of them. Results have the same bits for all layouts.
// Images are cut into strips, a row of tiles. Unlike winograd, each core takes the transforms, the products and the transforms back of a group of strips of
// its own, which stay in its cache; the 36 matrices have a row for each tile:
//
//	forward  M_k = V_k·U_k           U of W, V of x
//	dx       M_k = V_k·U_kᵀ          U of W rotated by 180°, V of dz
//	dW       U_k = Σ V_kᵀ·M_k        V of x, M of dz
//
// Groups are cut by the shape alone, and the sums of dW are those of a fixed number of
// chains of groups, so results do not depend on the number of cores.
type winoBlocks struct {
	Geometry
	n, c, outputs int
	y, dx         winoGrid // from x to y, and from dz to dx
	chains        int

	// Of the current run: the source, and the result or its gradient.
	from, to          winoImages
	u, bias           []float32 // 36 transforms of the weights, or of the chains of dW
	weights           winoWeights[float32]
	act               vmath.Activation
	sums              []float64 // of dz, by chain
	forward, backward func(lo, hi int)
	chain, add, turn  func(lo, hi int)
	toU, fromU        func(lo, hi int) // loops of the transforms of the weights
}

// winoBlocked reports whether winoBlocks computes the geometry, and faster than the other
// ways. By BenchmarkEngines on two cores of a Zen 4 processor forward and both gradients of
// 128 images in blocks take, in ms, 7.2 for 16 channels of 32×32 where oneDNN takes 9.9, 5.0
// for 32 of 16×16 (8.0), 4.0 for 64 of 8×8 (7.3), 56 for 64 of 32×32 (135), 47 for 128 of
// 16×16 (123, winograd 64) and 57 for 256 of 8×8 (118, 80); plain ones 11 for 16 of 32×32
// (12). For 256 channels of 4×4 to 512 they take 68 (58, 46): the transforms of so many
// weights leave the cache.
func winoBlocked(g Geometry, x []int, outputs int) bool {
	return winoVectors() && winograds(g) && x[1]%dnn.Block == 0 && outputs%dnn.Block == 0 && x[1]*outputs <= 256*256
}

func newWinoBlocks(g Geometry, x []int, outputs int) *winoBlocks {
	g = g.Filled()
	oh, ow := g.OutSize(x[2], x[3])
	k := &winoBlocks{Geometry: g, n: x[0], c: x[1], outputs: outputs,
		y:  newWinoGrid(x[2], x[3], g.Pad[0], g.Pad[1], oh, ow),
		dx: newWinoGrid(oh, ow, 2-g.Pad[0], 2-g.Pad[1], x[2], x[3]),
	}
	k.chains = min(max(1<<15/(k.c*outputs), 2), 16)
	k.sums = make([]float64, k.chains*outputs)
	k.forward = func(lo, hi int) { k.results(k.y, k.c, k.outputs, lo, hi) }
	k.backward = func(lo, hi int) { k.results(k.dx, k.outputs, k.c, lo, hi) }
	k.chain, k.add, k.turn = k.sumChains, k.addChains, k.turnWeights
	k.weights = winoWeights[float32]{c: k.c, o: outputs}
	k.toU, k.fromU = k.weights.transform, k.weights.transformBack
	return k
}

// strips is the number of strips of a group: their transforms should stay in the first two
// levels of a core's cache, and take the weights' from there often enough.
func (k *winoBlocks) strips(g winoGrid) int {
	const cache = 600 << 10
	channels := k.c + k.outputs
	tiles := max(min(max(16, channels/4), cache/(4*winoSize*channels)), winoRows)
	return max(tiles/g.tw, 1)
}

func (k *winoBlocks) Forward(x, w, y []float32) error {
	k.forwardOf(k.imagesX(x), k.imagesY(y), w)
	return nil
}

func (k *winoBlocks) forwardOf(x, y winoImages, w []float32) {
	k.from, k.to, k.act = x, y, k.Activation
	if !k.NoBias {
		k.bias = w[k.c*9*k.outputs:]
	}
	k.u = k.transform(w)
	k.eachStrip(k.y, k.forward)
	k.end()
}

func (k *winoBlocks) GradX(dy, y, w, dx []float32) error {
	k.gradXOf(k.gradient(dy, y), k.imagesX(dx), w)
	return nil
}

func (k *winoBlocks) gradXOf(dz, dx winoImages, w []float32) {
	k.from, k.to = dz, dx
	k.weights.w, k.u = w, scratch.Get[float32](winoSize*k.weights.stride())
	par.For(k.c/dnn.Block, 1, k.turn)
	k.eachStrip(k.dx, k.backward)
	k.end()
}

// eachStrip runs a loop over all strips, in chunks of whole groups, of images or more.
func (k *winoBlocks) eachStrip(g winoGrid, body func(lo, hi int)) {
	group := k.strips(g)
	par.For(k.n*g.th, max(g.th/group, 1)*group, body)
}

func (k *winoBlocks) GradW(x, dy, y, dw []float32) error {
	k.gradWOf(k.imagesX(x), k.gradient(dy, y), dw)
	return nil
}

func (k *winoBlocks) gradWOf(x, dz winoImages, dw []float32) {
	k.from, k.to = x, dz
	k.u = scratch.Get[float32](k.chains * winoSize * k.weights.stride())
	par.For(k.chains, 1, k.chain)
	par.For(winoSize, 1, k.add)
	k.weights.w, k.weights.u = dw, k.u
	k.weights.all(k.fromU)
	for i := 0; i < k.outputs && !k.NoBias; i++ {
		var s float64
		for j := range k.chains {
			s += k.sums[j*k.outputs+i]
		}
		dw[k.c*9*k.outputs+i] = float32(s)
	}
	k.end()
}

// gradient is dz = act'(z)·dy.
func (k *winoBlocks) gradient(dy, y []float32) winoImages {
	dz := k.imagesY(dy)
	if y != nil {
		dz.act, dz.y = k.Activation, y
	}
	return dz
}

func (k *winoBlocks) imagesX(x []float32) winoImages { return winoImages{data: x, blocked: k.BlockedX} }

func (k *winoBlocks) imagesY(y []float32) winoImages { return winoImages{data: y, blocked: k.BlockedY} }

func (k *winoBlocks) end() {
	scratch.Put(k.u)
	k.from, k.to, k.u, k.bias = winoImages{}, winoImages{}, nil, nil
	k.weights.w, k.weights.u, k.act = nil, nil, vmath.Identity
}

// results computes the strips [lo, hi) of a result.
func (k *winoBlocks) results(g winoGrid, in, out, lo, hi int) {
	group := k.strips(g)
	l := g.lane(in, out, group)
	p := winoProduct{matrices: winoSize, nextC: l.strideM, nextA: l.strideV, nextB: k.weights.stride(),
		cols: out, steps: in, rowA: in, stepA: 1, stepB: out, rowC: out}
	for ; lo < hi; lo += group {
		count := min(group, hi-lo)
		l.sources(&k.from, lo, count)
		p.rows = wholeRows(count * g.tw) // those behind the last tile are of any value
		p.run(l.m, l.v, k.u)
		for i := range count {
			l.result(&k.to, lo+i, l.m[i*g.tw*out:], k.bias, k.act)
		}
	}
	l.free()
}

// sumChains computes the chains [lo, hi) of dW, and of the sums of dz.
func (k *winoBlocks) sumChains(lo, hi int) {
	group := 2 * k.strips(k.y)
	l := k.y.lane(k.c, k.outputs, group)
	p := winoProduct{matrices: winoSize, nextC: k.weights.stride(), nextA: l.strideV, nextB: l.strideM,
		rows: k.c, cols: k.outputs, rowA: 1, stepA: k.c, stepB: k.outputs, rowC: k.outputs}
	all := k.n * k.y.th
	for j := lo; j < hi; j++ {
		u := k.u[j*winoSize*k.weights.stride():][:winoSize*k.weights.stride()]
		var sums []float64
		if !k.NoBias {
			sums = k.sums[j*k.outputs:][:k.outputs]
			clear(sums)
		}
		begin, end := j*all/k.chains, (j+1)*all/k.chains
		if begin == end {
			clear(u)
		}
		for i := begin; i < end; i += group {
			count := min(group, end-i)
			l.sources(&k.from, i, count)
			l.spread(&k.to, i, count, sums)
			p.steps, p.add = count*k.y.tw, i > begin
			p.run(u, l.v, l.m)
		}
	}
	l.free()
}

// transform returns the transforms of the weights.
func (k *winoBlocks) transform(w []float32) []float32 {
	t := &k.weights
	t.w, t.u = w, scratch.Get[float32](winoSize*t.stride())
	t.all(k.toU)
	return t.u
}

// turnWeights makes the transforms of the rotated weights, turned from C×O to O×C, for
// blocks [lo, hi) of the channels of x: a block's transforms stay in the cache meanwhile.
func (k *winoBlocks) turnWeights(lo, hi int) {
	const b = dnn.Block
	t := winoWeights[float32]{c: b, o: k.outputs, rotated: true}
	t.u = scratch.Get[float32](winoSize * t.stride())
	for c := lo * b; c < hi*b; c += b {
		t.w = k.weights.w[c*9*k.outputs:]
		t.transform(0, b)
		for i := range winoSize {
			from, to := t.u[i*t.stride():], k.u[i*k.weights.stride():]
			for o := range k.outputs {
				row := to[o*k.c+c:][:b]
				for l := range row {
					row[l] = from[l*k.outputs+o]
				}
			}
		}
	}
	scratch.Put(t.u)
}

// addChains adds up the transforms [lo, hi) of dW.
func (k *winoBlocks) addChains(lo, hi int) {
	n := k.weights.stride()
	for i := lo; i < hi; i++ {
		sum := k.u[i*n:][:k.c*k.outputs]
		for j := 1; j < k.chains; j++ {
			simd.Add(sum, sum, k.u[(j*winoSize+i)*n:][:len(sum)])
		}
	}
}
