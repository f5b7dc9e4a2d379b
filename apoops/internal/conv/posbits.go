package conv

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/bfloat"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// bitsPositions computes dW on the bits of bfloat16 by products of positions, as positions
// does; y and dx are oneDNN's. Images are copied to H×W×N×C, columns that are Stride apart
// side by side, so that a product takes all positions of a row, or of several, at once. The
// sums of an element of the kernel are rounded while they are in a core's cache: dW is never
// there in float32 as a whole.
type bitsPositions struct {
	*oneDNN[uint16]
	patches
	n, outputs int
	runs       [][]run // by element of the kernel
	slab       int     // channels of x of a product
	by         map[term]*dnn.Product[uint16, float32]
	in, out    *bitsTurn // of x and dz

	derive, sumBias, products func(lo, hi int)

	// Of the current call.
	dy, y, dz, dw []uint16
	mu            sync.Mutex
	failure       error
}

// run are pairs of positions that follow one another, in the copied order.
type run struct{ in, out, count int }

// term is what a product depends on: the positions of its run, and whether it is added.
type term struct {
	count int
	add   bool
}

// positionsOfBits is the number of positions of y up to which dW is computed so, for
// kernels of more than one element. By BenchmarkBits on two cores of a Zen 5 processor, 128
// images take, in ms, 10.0 for 512 channels of 4×4 (oneDNN's bfloat16 20, float32 13.6),
// 1.9 for 512 of 2×2 (19, 4.6) and, with stride 2, 7.0 for 256 of 8×8 to 512 (16.4, 22.8) and
// 9.4 for 128 of 16×16 to 256 (12.1, 16.7), but 14 for 64 of 32×32 to 128 (10.8, 13.8);
// 32 images of 512 of 4×4 take 3.0 (9.4, 6.9), two .9 (1.5, 5.0).
const positionsOfBits = 64

// byBitsPositions reports whether dW is.
func byBitsPositions(g Geometry, x []int, outputs int) bool {
	oh, ow := g.OutSize(x[2], x[3])
	return oh*ow <= positionsOfBits && g.Kernel != [2]int{1, 1} && min(x[1], outputs) >= bitsChannels
}

// bitsChannels is the least number of channels, of x's and y's the smaller.
const bitsChannels = 32

// slabChannels is the largest number of channels of x of a product.
const slabChannels = 256

func newBitsPositions(one *oneDNN[uint16], g Geometry, x []int, outputs int) (*bitsPositions, error) {
	k := &bitsPositions{oneDNN: one, patches: newPatches(g, x), n: x[0], outputs: outputs, by: map[term]*dnn.Product[uint16, float32]{}}
	k.slab = k.patches.c
	if k.slab%slabChannels == 0 {
		k.slab = slabChannels
	}
	k.derive, k.sumBias, k.products = k.derivatives, k.biasGradients, k.eachProduct
	k.arrange()
	for _, runs := range k.runs {
		for i, r := range runs {
			t := term{r.count, i > 0}
			if k.by[t] != nil {
				continue
			}
			x := dnn.Matrix{Rows: r.count * k.n, Cols: k.slab, Stride: k.patches.c, Transposed: true}
			dz := dnn.Matrix{Rows: r.count * k.n, Cols: outputs, Stride: outputs}
			var err error
			if k.by[t], err = dnn.NewProduct[uint16, float32](x, dz, dnn.Matrix{Rows: k.slab, Cols: outputs, Stride: outputs}, t.add); err != nil {
				return nil, err
			}
		}
	}
	return k, nil
}

// arrange sets the places of positions and the runs.
func (k *bitsPositions) arrange() {
	placeX, placeY := make([]int, 0, k.h*k.w), make([]int, k.Positions)
	for i := range k.h {
		row := make([]int, k.w)
		next := i * k.w
		for first := range min(k.Stride[1], k.w) {
			for j := first; j < k.w; j += k.Stride[1] {
				row[j] = next
				next++
			}
		}
		placeX = append(placeX, row...)
	}
	for q := range placeY {
		placeY[q] = q
	}
	k.in = newBitsTurn(placeX, k.n, k.patches.c, k.BlockedX)
	k.out = newBitsTurn(placeY, k.n, k.outputs, k.BlockedY)
	k.runs = make([][]run, k.kernel())
	for _, p := range k.pairs() {
		runs, in := k.runs[p.element], placeX[p.in]
		if last := len(runs) - 1; last >= 0 && runs[last].in+runs[last].count == in && runs[last].out+runs[last].count == p.out {
			runs[last].count++
			continue
		}
		k.runs[p.element] = append(runs, run{in, p.out, 1})
	}
}

func (k *bitsPositions) GradW(x, dy, y, dw []uint16) error {
	k.dw, k.failure = dw, nil
	dz, size := dy, len(x)+len(dy)
	if y != nil {
		size += len(dy)
	}
	room := scratchBits.Get(size)
	if y != nil {
		dz = room[len(x)+len(dy):]
		k.dy, k.y, k.dz = dy, y, dz
		par.For(len(dz), par.Grain, k.derive)
	}
	k.in.turn(room[:len(x)], x)
	k.out.turn(room[len(x):][:len(dy)], dz)
	par.For(k.kernel()*k.slabs(), 1, k.products)
	if !k.NoBias {
		par.For(k.outputs, biasGrain, k.sumBias)
	}
	scratchBits.Put(room)
	k.in.dst, k.out.dst, k.dy, k.y, k.dz, k.dw = nil, nil, nil, nil, nil, nil
	return k.failure
}

// scratchBits are the slices for copies of images that are not in use.
var scratchBits scratch.Pool[uint16]

func (k *bitsPositions) slabs() int { return k.patches.c / k.slab }

// eachProduct computes the elements of the kernel [lo, hi) of dW, counted slab by slab.
func (k *bitsPositions) eachProduct(lo, hi int) {
	sums := scratch.Get[float32](k.slab * k.outputs)
	defer scratch.Put(sums)
	for i := lo; i < hi; i++ {
		t, from := i%k.kernel(), i/k.kernel()*k.slab
		for j, r := range k.runs[t] {
			p := k.by[term{r.count, j > 0}]
			if err := p.Run(k.in.dst[r.in*k.n*k.patches.c+from:], k.out.dst[r.out*k.n*k.outputs:], sums); err != nil {
				k.mu.Lock()
				k.failure = err
				k.mu.Unlock()
				return
			}
		}
		if len(k.runs[t]) == 0 {
			clear(sums)
		}
		for c := range k.slab {
			half.Pack(half.BFloat16, k.dw[((from+c)*k.kernel()+t)*k.outputs:][:k.outputs], sums[c*k.outputs:][:k.outputs])
		}
	}
}

// derivatives computes the elements [lo, hi) of dz.
func (k *bitsPositions) derivatives(lo, hi int) {
	backwardBits(k.Activation, k.dz[lo:hi], k.y[lo:hi], k.dy[lo:hi])
}

// biasGradients sums dz of the channels [lo, hi) over images and positions.
func (k *bitsPositions) biasGradients(lo, hi int) {
	bfloat.ColumnSums(k.dw[k.Rows*k.outputs:][:k.outputs], k.out.dst, lo, hi)
}
