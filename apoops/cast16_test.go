package apoops

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestCast16(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 1))
	for _, f := range formats {
		for _, s := range [][]int{{300}, {3, 4}, {2, 3, 4}, {}} {
			x, c := randn(rng, s...), randn(rng, s...)
			tc := opTest{
				name:  "cast16",
				build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Cast16(in[0], f) },
				wrt:   []int{0},
			}
			for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
				y, d := tc.evaluate(t, []*tensor.Dense{x}, dt, c, true)
				straight := []float64{1}
				values := []float64{0}
				if len(s) > 0 {
					straight, values = c.Float64s(), x.Float64s()
				} else {
					values[0] = x.ScalarValue().(float64)
				}
				compare(t, "gradient", d[0], straight, 1e-7)
				for i, v := range values {
					if dt == tensor.Float32 {
						v = float64(float32(v))
					}
					if y[i] != Round16(f, v) {
						t.Fatalf("%v: %v became %v, want %v", f, v, y[i], Round16(f, v))
					}
				}
			}
		}
	}
}

func TestCast16RefusesFormats(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(4), gorgonia.WithName("x"))
	for _, f := range []Format{-1, 2} {
		if _, err := Cast16(x, f); err == nil {
			t.Fatalf("format %d was accepted", f)
		}
	}
	if _, err := Cast16(nil, Float16); err == nil {
		t.Fatal("no x was accepted")
	}
}

// TestCast16StraightThroughWhereUsedTwice: x and its cast both have two
// consumers, whose gradients must add up.
func TestCast16StraightThroughWhereUsedTwice(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 2))
	x, c := randn(rng, 5), randn(rng, 5)
	tc := opTest{
		name: "x·cast(x) + cast(x)", wrt: []int{0},
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			y, err := Cast16(in[0], BFloat16)
			if err != nil {
				return nil, err
			}
			product, err := gorgonia.HadamardProd(in[0], y)
			if err != nil {
				return nil, err
			}
			return gorgonia.Add(product, y)
		},
	}
	_, d := tc.evaluate(t, []*tensor.Dense{x}, tensor.Float64, c, true)
	for i, v := range x.Float64s() {
		compare(t, "gradient", d[0][i:i+1], []float64{c.Float64s()[i] * (v + Round16(BFloat16, v) + 1)}, 1e-12)
	}
}

var formats = []Format{Float16, BFloat16}

func sameFloat(a, b float64) bool {
	return a != a && b != b || math.Float64bits(a) == math.Float64bits(b)
}
