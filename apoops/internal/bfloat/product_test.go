package bfloat_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/bfloat"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

func random(rng *rand.Rand, n int) []uint16 {
	x := make([]uint16, n)
	for i := range x {
		x[i] = half.ToBits(half.BFloat16, rng.NormFloat64())
	}
	return x
}

func number(b uint16) float64 { return half.FromBits(half.BFloat16, b) }

// TestProduct compares with act(A·B + bias) in float64, to half a unit in the last place
// and the error of sums of float32.
func TestProduct(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 1))
	for _, size := range [][3]int{{1, 1, 1}, {9, 4, 30}, {150, 64, 90}, {33, 300, 80}} { // in pieces of rows, and of columns
		for _, act := range []vmath.Activation{vmath.Identity, vmath.ReLU, vmath.Tanh} {
			m, n, k := size[0], size[1], size[2]
			var p bfloat.Product
			if !p.Compile(dnn.Matrix{Rows: m, Cols: k, Stride: k}, dnn.Matrix{Rows: k, Cols: n, Stride: n}) {
				t.Skip("no bfloat16 on this machine: ", dnn.BFloat16())
			}
			a, b, bias := random(rng, m*k), random(rng, k*n), random(rng, n)
			for _, bias := range [][]uint16{bias, nil} {
				c := slices.Repeat([]uint16{0x7fff}, m*n)
				if err := p.Run(a, b, bias, act, c); err != nil {
					t.Fatal(err)
				}
				for i := range m {
					for j := range n {
						var sum, size float64
						if bias != nil {
							sum = number(bias[j])
						}
						for l := range k {
							v := number(a[i*k+l]) * number(b[l*n+j])
							sum, size = sum+v, size+math.Abs(v)
						}
						want := []float64{sum}
						vmath.Forward(act, want)
						_, exponent := math.Frexp(want[0])
						if got := number(c[i*n+j]); !(math.Abs(got-want[0]) <= math.Ldexp(1, exponent-9)+(size+1)*float64(k+4)*0x1p-24) {
							t.Fatalf("%v, activation %d: element %d, %d is %v, not %v", size, act, i, j, got, want[0])
						}
					}
				}
			}
			p.Close()
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	var p bfloat.Product
	a := dnn.Matrix{Rows: 2, Cols: 3, Stride: 3}
	for range 2 { // a refusal is remembered
		if p.Compile(a, a) {
			t.Error("2×3 times 2×3")
		}
	}
}

// TestColumnSums: in parts or at once, sums are those of float32, rounded.
func TestColumnSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 2))
	const rows, columns = 11, 37
	x := random(rng, rows*columns)
	got := make([]uint16, columns)
	bfloat.ColumnSums(got, x, 0, 20)
	bfloat.ColumnSums(got, x, 20, columns)
	for j, b := range got {
		var sum float32
		for i := range rows {
			sum += float32(number(x[i*columns+j]))
		}
		if want := half.ToBits(half.BFloat16, float64(sum)); b != want {
			t.Fatalf("column %d adds up to %v, not %v", j, number(b), number(want))
		}
	}
}

func ExampleColumnSums() {
	one, two := half.ToBits(half.BFloat16, 1), half.ToBits(half.BFloat16, 2)
	sums := make([]uint16, 2)
	bfloat.ColumnSums(sums, []uint16{one, two, two, two}, 0, 2) // of [1 2; 2 2]
	fmt.Println(number(sums[0]), number(sums[1]))
	// Output: 3 4
}
