package apoops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/dnn"
)

var engineCases = append([]convCase{
	{"many images", []int{70, 3, 12, 12}, 16, evenConv(5, 1, 0, 1)},
	{"stride", []int{9, 16, 8, 8}, 32, evenConv(3, 2, 1, 1)},
	{"whole tiles", []int{70, 5, 8, 8}, 7, evenConv(3, 1, 1, 1)},
	{"parts of tiles", []int{33, 3, 9, 6}, 4, evenConv(3, 1, 1, 1)},
	{"less than a tile", []int{70, 3, 2, 2}, 4, evenConv(3, 1, 1, 1)},
	{"no padding", []int{5, 2, 23, 18}, 3, evenConv(3, 1, 0, 1)},
	{"more padding", []int{5, 2, 5, 8}, 3, evenConv(3, 1, 2, 1)},
	{"more tiles than a group has", []int{2, 1, 70, 80}, 2, evenConv(3, 1, 1, 1)},
}, convCases...)

// TestDNNConvEqualsIm2col compares oneDNN's convolution with the plain one.
func TestDNNConvEqualsIm2col(t *testing.T) {
	if _, err := dnn.Library(); err != nil {
		t.Skip("no oneDNN on this machine: ", err)
	}
	compareEngines(t, 2e-5, func(c Conv, x tensor.Shape, outputs int) convEngine[float32] {
		e, ok := newDNNConv(c, x, outputs).(*dnnConv)
		if !ok {
			t.Fatalf("%v of %v: oneDNN refuses", c, x)
		}
		return e
	})
}

// TestWinogradEqualsIm2col compares Winograd's algorithm with the plain way.
func TestWinogradEqualsIm2col(t *testing.T) {
	compareEngines(t, 1e-13, winogradEngine[float64])
	compareEngines(t, 5e-5, winogradEngine[float32])
}

func winogradEngine[T Float](c Conv, x tensor.Shape, outputs int) convEngine[T] {
	if !winograds(c) {
		return nil
	}
	return newWinograd[T](c, x, outputs)
}

// compareEngines compares the results of an engine with those of im2col, relative
// to the largest element, for every activation with and without bias.
func compareEngines[T Float](t *testing.T, tolerance float64, engine func(c Conv, x tensor.Shape, outputs int) convEngine[T]) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 1))
	random := func(n int) []T { return Elements[T](convert(randn(rng, n), DtypeOf[T]())) }
	for _, c := range engineCases {
		for _, act := range []Activation{Identity, ReLUAct, SigmoidAct, TanhAct, RectifyAct} {
			for _, noBias := range []bool{false, true} {
				conv := c.conv
				conv.Activation, conv.NoBias = act, noBias
				s := tensor.Shape(c.shape)
				fast := engine(conv, s, c.outputs)
				if fast == nil {
					continue
				}
				plain := newIm2col[T](conv, s, c.outputs)
				x, w := random(s.TotalSize()), random((plain.rows+conv.bias())*c.outputs)
				dy := random(s[0] * c.outputs * plain.positions)
				var y []T // the same for both, or signs near 0 may differ
				run := func(e convEngine[T]) (r [3][]T) {
					r = [3][]T{make([]T, len(dy)), make([]T, len(x)), make([]T, len(w))}
					err := e.forward(x, w, r[0])
					if y == nil {
						y = r[0]
					}
					for _, err := range []error{err, e.gradX(dy, y, w, r[1]), e.gradW(x, dy, y, r[2])} {
						if err != nil {
							t.Fatalf("%s: %v", c.name, err)
						}
					}
					return r
				}
				want := run(plain)
				for range 2 { // the second time in memory that is not zero
					got := run(fast)
					for i, what := range []string{"y", "dx", "dW"} {
						alike(t, fmt.Sprintf("%s, %v, %s", c.name, conv, what), got[i], want[i], tolerance)
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
