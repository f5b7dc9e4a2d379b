package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// rounded are n random bfloat16s and the same numbers in float32.
func rounded(rng *rand.Rand, n int) (bits []uint16, x []float32) {
	x, bits = random[float32](rng, n), make([]uint16, n)
	half.Pack(half.BFloat16, bits, x)
	half.Expand(half.BFloat16, x, bits)
	return bits, x
}

// TestBitsEqualIm2col: results are those of float32 on the same numbers, to half a unit in
// the last place and the error of the sums.
func TestBitsEqualIm2col(t *testing.T) {
	if err := dnn.BFloat16(); err != nil {
		t.Skip("no bfloat16 on this machine: ", err)
	}
	rng := rand.New(rand.NewPCG(6, 1))
	for _, c := range engineCases {
		for _, act := range []vmath.Activation{vmath.Identity, vmath.ReLU, vmath.Rectify} {
			for _, noBias := range []bool{false, true} {
				g, s := geometry(c), c.Shape
				g.Activation, g.NoBias = act, noBias
				var b Bits
				if !b.Compile(g, s, c.Outputs) {
					t.Fatalf("%v of %v: refused", g, s)
				}
				plain := newIm2col[float32](g, s, c.Outputs)
				x, fx := rounded(rng, size(s))
				w, fw := rounded(rng, (plain.Rows+g.bias())*c.Outputs)
				dy, fdy := rounded(rng, s[0]*c.Outputs*plain.Positions)
				y, dx, dw := make([]uint16, len(dy)), make([]uint16, len(x)), make([]uint16, len(w))
				fy, want := make([]float32, len(dy)), [3][]float32{make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))}
				must(t, plain.Forward(fx, fw, want[0]))
				for range 2 { // the second time in memory that is not zero
					must(t, b.Forward(x, w, y))
					half.Expand(half.BFloat16, fy, y)
					must(t, plain.GradX(fdy, fy, fw, want[1]))
					must(t, plain.GradW(fx, fdy, fy, want[2]))
					must(t, b.GradX(dy, y, w, dx))
					must(t, b.GradW(x, dy, y, dw))
					for i, got := range [][]uint16{y, dx, dw} {
						nearest(t, fmt.Sprintf("%s, %v, %s", c.Name, g, []string{"y", "dx", "dW"}[i]), got, want[i])
					}
				}
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// nearest compares numbers of bfloat16 with sums of float32, whose error goes by the
// largest of them.
func nearest(t *testing.T, what string, got []uint16, want []float32) {
	t.Helper()
	scale := 1.0
	for _, v := range want {
		scale = max(scale, math.Abs(float64(v)))
	}
	for i, v := range want {
		_, exponent := math.Frexp(float64(v))
		if d := half.FromBits(half.BFloat16, got[i]) - float64(v); !(math.Abs(d) <= math.Ldexp(1, exponent-9)+2e-5*scale) {
			t.Fatalf("%s: element %d is %v from %v", what, i, d, v)
		}
	}
}

// TestBitsRefuse: activations whose values are rounded, and what is no convolution.
func TestBitsRefuse(t *testing.T) {
	for _, act := range []vmath.Activation{vmath.Sigmoid, vmath.Tanh} {
		var b Bits
		for range 2 { // a refusal is remembered
			if b.Compile(Geometry{Kernel: [2]int{1, 1}, Activation: act}, []int{1, 1, 2, 2}, 1) {
				t.Errorf("activation %d was accepted", act)
			}
		}
	}
	var b Bits
	if b.Compile(Geometry{Kernel: [2]int{3, 3}}, []int{1, 1, 2, 2}, 1) {
		t.Error("a patch larger than the image")
	}
}
