package apoops

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/dnn"
)

// TestDNNConvEqualsIm2col compares the two ways to compute a convolution of
// float32.
func TestDNNConvEqualsIm2col(t *testing.T) {
	if _, err := dnn.Library(); err != nil {
		t.Skip("no oneDNN on this machine: ", err)
	}
	rng := rand.New(rand.NewPCG(5, 1))
	cases := append([]convCase{
		{"many images", []int{70, 3, 12, 12}, 16, evenConv(5, 1, 0, 1)},
		{"channels", []int{9, 16, 8, 8}, 32, evenConv(3, 2, 1, 1)},
	}, convCases...)
	for _, c := range cases {
		for _, act := range []Activation{Identity, ReLUAct, SigmoidAct, TanhAct} {
			for _, noBias := range []bool{false, true} {
				conv := c.conv
				conv.Activation, conv.NoBias = act, noBias
				s := tensor.Shape(c.shape)
				fast, ok := newConvEngine[float32](conv, s, c.outputs).(*dnnConv)
				if !ok {
					t.Fatalf("%s: oneDNN refuses", c.name)
				}
				plain := newIm2col[float32](conv, s, c.outputs)
				random := func(n int) []float32 { return convert(randn(rng, n), tensor.Float32).Float32s() }
				x, w := random(s.TotalSize()), random((plain.rows+conv.bias())*c.outputs)
				dz := random(s[0] * c.outputs * plain.positions)
				type results struct{ y, dx, dw []float32 }
				run := func(e convEngine[float32], y []float32) results {
					r := results{make([]float32, len(dz)), make([]float32, len(x)), make([]float32, len(w))}
					if y == nil {
						y = r.y
					}
					for _, err := range []error{e.forward(x, w, r.y), e.gradX(dz, y, w, r.dx), e.gradW(x, dz, y, r.dw)} {
						if err != nil {
							t.Fatalf("%s: %v", c.name, err)
						}
					}
					return r
				}
				want := run(plain, nil)
				got := run(fast, want.y) // the same y, or signs near 0 may differ
				near32(t, c.name+", y", got.y, want.y)
				near32(t, c.name+", dx", got.dx, want.dx)
				near32(t, c.name+", dW", got.dw, want.dw)
			}
		}
	}
}

// near32 allows for the rounding of sums, relative to the largest element.
func near32(t *testing.T, what string, got, want []float32) {
	t.Helper()
	var scale float32 = 1
	for _, v := range want {
		scale = max(scale, v, -v)
	}
	for i, v := range want {
		if d := got[i] - v; !(max(d, -d) <= 2e-5*scale) {
			t.Fatalf("%s: element %d is %v, want %v (of at most %v)", what, i, got[i], v, scale)
		}
	}
}
