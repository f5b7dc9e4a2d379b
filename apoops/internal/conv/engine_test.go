package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

var engineCases = append([]convtest.Case{
	convtest.Even("many images", []int{70, 3, 12, 12}, 16, 5, 1, 0, 1),
	convtest.Even("stride", []int{9, 16, 8, 8}, 32, 3, 2, 1, 1),
	convtest.Even("whole tiles", []int{70, 5, 8, 8}, 7, 3, 1, 1, 1),
	convtest.Even("parts of tiles", []int{33, 3, 9, 6}, 4, 3, 1, 1, 1),
	convtest.Even("less than a tile", []int{70, 3, 2, 2}, 4, 3, 1, 1, 1),
	convtest.Even("no padding", []int{5, 2, 23, 18}, 3, 3, 1, 0, 1),
	convtest.Even("more padding", []int{5, 2, 5, 8}, 3, 3, 1, 2, 1),
	convtest.Even("more tiles than a group has", []int{2, 1, 70, 80}, 2, 3, 1, 1, 1),
}, convtest.Cases...)

// TestOneDNNEqualsIm2col compares oneDNN's convolution with the plain one.
func TestOneDNNEqualsIm2col(t *testing.T) {
	if _, err := dnn.Library(); err != nil {
		t.Skip("no oneDNN on this machine: ", err)
	}
	compareEngines(t, 2e-5, func(g Geometry, x []int, outputs int) Engine[float32] {
		e, ok := newOneDNN(g, x, outputs).(*oneDNN[float32])
		if !ok {
			t.Fatalf("%v of %v: oneDNN refuses", g, x)
		}
		return e
	})
}

// TestWinogradEqualsIm2col compares Winograd's algorithm with the plain way.
func TestWinogradEqualsIm2col(t *testing.T) {
	compareEngines(t, 1e-13, winogradEngine[float64])
	compareEngines(t, 5e-5, winogradEngine[float32])
}

// TestWinogradBlocksEqualIm2col compares the algorithm for vectors of channels, of plain
// images and of ones in blocks, which have the same bits.
func TestWinogradBlocksEqualIm2col(t *testing.T) {
	before := engineCases
	defer func() { engineCases = before }()
	engineCases = []convtest.Case{
		convtest.Even("whole tiles", []int{21, 16, 8, 8}, 32, 3, 1, 1, 1),
		convtest.Even("parts of tiles", []int{5, 48, 9, 6}, 16, 3, 1, 1, 1),
		convtest.Even("less than a tile", []int{70, 16, 2, 3}, 16, 3, 1, 1, 1),
		convtest.Even("no padding", []int{5, 32, 23, 18}, 32, 3, 1, 0, 1),
		convtest.Even("more padding", []int{5, 16, 5, 8}, 16, 3, 1, 2, 1),
		convtest.Even("long rows", []int{2, 16, 70, 80}, 16, 3, 1, 1, 1),
		convtest.Even("one image", []int{1, 64, 8, 8}, 96, 3, 1, 1, 1),
	}
	compareEngines(t, 1e-4, func(g Geometry, x []int, outputs int) Engine[float32] {
		return newSameBits(t, g, x, outputs)
	})
}

// sameBits are the engines of all layouts: the first's results are compared with the others'.
type sameBits struct {
	t       *testing.T
	engines [4]Engine[float32]
	x, y    [4]images
}

func newSameBits(t *testing.T, g Geometry, x []int, outputs int) *sameBits {
	e := &sameBits{t: t}
	oh, ow := g.OutSize(x[2], x[3])
	for i := range e.engines {
		g.BlockedX, g.BlockedY = i&1 != 0, i&2 != 0
		e.engines[i] = newWinoBlocks(g, x, outputs)
		e.x[i] = images{n: x[0], c: x[1], positions: x[2] * x[3], blocked: g.BlockedX}
		e.y[i] = images{n: x[0], c: outputs, positions: oh * ow, blocked: g.BlockedY}
	}
	return e
}

// each runs f for all layouts, with an array for a result of the layout that m has.
func (e *sameBits) each(dst []float32, m *[4]images, f func(i int, dst []float32) error) error {
	for i := range e.engines {
		to := make([]float32, len(dst))
		if err := f(i, to); err != nil {
			return err
		}
		if m != nil {
			to = read(m[i], to)
		}
		if i > 0 && !slices.Equal(to, dst) {
			e.t.Fatalf("layout %d: other bits than of plain images", i)
		}
		copy(dst, to)
	}
	return nil
}

func (e *sameBits) Forward(x, w, y []float32) error {
	return e.each(y, &e.y, func(i int, y []float32) error { return e.engines[i].Forward(inBlocks(e.x[i], x), w, y) })
}

func (e *sameBits) GradX(dy, y, w, dx []float32) error {
	return e.each(dx, &e.x, func(i int, dx []float32) error {
		return e.engines[i].GradX(inBlocks(e.y[i], dy), inBlocks(e.y[i], y), w, dx)
	})
}

func (e *sameBits) GradW(x, dy, y, dw []float32) error {
	return e.each(dw, nil, func(i int, dw []float32) error {
		return e.engines[i].GradW(inBlocks(e.x[i], x), inBlocks(e.y[i], dy), inBlocks(e.y[i], y), dw)
	})
}

// TestPositionsEqualIm2col compares the products of pairs of positions with the plain way.
func TestPositionsEqualIm2col(t *testing.T) {
	compareEngines(t, 1e-13, positionsEngine[float64])
	compareEngines(t, 2e-5, positionsEngine[float32])
}

// TestPositionsAreForSmallImages is about the choice of New, and the count that it is by.
func TestPositionsAreForSmallImages(t *testing.T) {
	for _, c := range append([]convtest.Case{
		convtest.Even("positions", []int{8, 192, 2, 2}, 384, 3, 1, 1, 1),
		convtest.Even("positions", []int{8, 64, 4, 4}, 192, 5, 1, 2, 1),
		convtest.Even("positions", []int{8, 64, 1, 1}, 64, 3, 1, 1, 1),
		convtest.Even("few channels", []int{8, 192, 2, 2}, 63, 3, 1, 1, 1),
		convtest.Even("larger", []int{8, 256, 4, 4}, 512, 3, 1, 1, 1),
		convtest.Even("1x1", []int{8, 256, 2, 2}, 512, 1, 1, 0, 1),
	}, engineCases...) {
		p := newPatches(geometry(c), c.Shape)
		if got, want := p.countPairs(), len(p.pairs()); got != want {
			t.Errorf("%s: %d pairs are counted, not %d", c.Name, got, want)
		}
		_, got := New[float32](geometry(c), c.Shape, c.Outputs).(*positions[float32])
		if got != (c.Name == "positions") {
			t.Errorf("%s, %v: products of positions %v", c.Name, c.Shape, got)
		}
		if got && Blocks(geometry(c), c.Shape, c.Outputs, false) {
			t.Errorf("%s, %v: gains from blocks", c.Name, c.Shape)
		}
	}
}

func positionsEngine[T Float](g Geometry, x []int, outputs int) Engine[T] {
	if x[2]*x[3] > 80 {
		return nil
	}
	return newPositions[T](g, x, outputs)
}

func winogradEngine[T Float](g Geometry, x []int, outputs int) Engine[T] {
	if !winograds(g) {
		return nil
	}
	return newWinograd[T](g, x, outputs)
}

// compareEngines compares the results of an engine with those of im2col, relative
// to the largest element, for every activation with and without bias.
func compareEngines[T Float](t *testing.T, tolerance float64, engine func(g Geometry, x []int, outputs int) Engine[T]) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 1))
	for _, c := range engineCases {
		for _, act := range []vmath.Activation{vmath.Identity, vmath.ReLU, vmath.Sigmoid, vmath.Tanh, vmath.Rectify} {
			for _, noBias := range []bool{false, true} {
				g, s := geometry(c), c.Shape
				g.Activation, g.NoBias = act, noBias
				fast := engine(g, s, c.Outputs)
				if fast == nil {
					continue
				}
				plain := newIm2col[T](g, s, c.Outputs)
				x, w := random[T](rng, size(s)), random[T](rng, (plain.Rows+g.bias())*c.Outputs)
				dy := random[T](rng, s[0]*c.Outputs*plain.Positions)
				var y []T // the same for both, or signs near 0 may differ
				run := func(e Engine[T]) (r [3][]T) {
					r = [3][]T{make([]T, len(dy)), make([]T, len(x)), make([]T, len(w))}
					err := e.Forward(x, w, r[0])
					if y == nil {
						y = r[0]
					}
					for _, err := range []error{err, e.GradX(dy, y, w, r[1]), e.GradW(x, dy, y, r[2])} {
						if err != nil {
							t.Fatalf("%s: %v", c.Name, err)
						}
					}
					return r
				}
				want := run(plain)
				for range 2 { // the second time in memory that is not zero
					got := run(fast)
					for i, what := range []string{"y", "dx", "dW"} {
						alike(t, fmt.Sprintf("%s, %v, %s", c.Name, g, what), got[i], want[i], tolerance)
					}
				}
			}
		}
	}
}

// alike allows for rounding relative to the largest element.
func alike[T Float](t *testing.T, what string, got, want []T, tolerance float64) {
	t.Helper()
	scale := 1.0
	for _, v := range want {
		scale = max(scale, math.Abs(float64(v)))
	}
	for i, v := range want {
		if d := math.Abs(float64(got[i] - v)); !(d <= tolerance*scale) {
			t.Fatalf("%s: element %d is %v, want %v (of at most %v)", what, i, got[i], v, scale)
		}
	}
}

func geometry(c convtest.Case) Geometry {
	return Geometry{Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation}
}

func size(shape []int) int {
	n := 1
	for _, v := range shape {
		n *= v
	}
	return n
}

func random[T Float](rng *rand.Rand, n int) []T {
	v := make([]T, n)
	for i := range v {
		v[i] = T(rng.NormFloat64())
	}
	return v
}
