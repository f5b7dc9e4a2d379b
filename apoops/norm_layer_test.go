package apoops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func layerNormNode(epsilon float64) func(gorgonia.Nodes) (*gorgonia.Node, error) {
	return func(in gorgonia.Nodes) (*gorgonia.Node, error) { return LayerNorm(in[0], in[1], in[2], epsilon) }
}

func TestLayerNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(71, 1))
	const epsilon = 1e-3
	for _, s := range [][]int{{5}, {4, 3}, {1, 9}, {300, 2}, {2, 3, 6}} {
		d := s[len(s)-1]
		opTest{
			name:   fmt.Sprintf("layer norm of %v", s),
			build:  layerNormNode(epsilon),
			inputs: []*tensor.Dense{randn(rng, s...), randn(rng, d), randn(rng, d)},
			wrt:    []int{0, 1, 2},
			tol:    1e-5, // the third derivative of rows of two elements is large
			want: func(in [][]float64) []float64 {
				y := make([]float64, len(in[0]))
				for at := range y {
					row := in[0][at/d*d : at/d*d+d]
					var mean, variance float64
					for _, v := range row {
						mean += v / float64(d)
					}
					for _, v := range row {
						variance += (v - mean) * (v - mean) / float64(d)
					}
					y[at] = in[1][at%d]*(row[at%d]-mean)/math.Sqrt(variance+epsilon) + in[2][at%d]
				}
				return y
			},
		}.run(t)
	}
}

// TestLayerNormFarFromZero: a mean ten thousand times the deviation costs no accuracy
// beyond the rounding of x.
func TestLayerNormFarFromZero(t *testing.T) {
	const d = 512
	x, zero, one := make([]float64, d), make([]float64, d), make([]float64, d)
	near := make([]float64, d)
	for i := range x {
		near[i] = float64(i%64) / 64
		x[i], one[i] = 10000+near[i], 1
	}
	tc := opTest{name: "layer norm", build: layerNormNode(1e-5)}
	values := func(x []float64, dt tensor.Dtype) []float64 {
		y, _ := tc.evaluate(t, []*tensor.Dense{tensor.New(tensor.WithShape(1, d), tensor.WithBacking(x)), vector(one), vector(zero)}, dt, tensor.New(tensor.WithShape(1, d), tensor.WithBacking(one)), false)
		return y
	}
	// float32 rounds the mean to 2⁻¹⁰, a thousandth of the deviation 0.29.
	compare(t, "layer norm far from zero", values(x, tensor.Float32), values(near, tensor.Float64), 2e-3)
	compare(t, "layer norm far from zero", values(x, tensor.Float64), values(near, tensor.Float64), 1e-10)
}

// TestLayerNormNaN: a NaN spoils its row, not the others.
func TestLayerNormNaN(t *testing.T) {
	g := gorgonia.NewGraph()
	x := inputNode(g, tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, math.NaN(), 2, 5, 7, 1})), tensor.Float64, "x")
	w := inputNode(g, vector([]float64{1, 2, 3}), tensor.Float64, "w")
	y, err := LayerNorm(x, w, w, 1e-5)
	if err != nil {
		t.Fatal(err)
	}
	value, d := runNode(t, y, x)
	for i := range value {
		if math.IsNaN(value[i]) != (i < 3) || math.IsNaN(d[i]) != (i < 3) {
			t.Fatalf("value %v, gradient %v", value, d)
		}
	}
}

func TestLayerNormRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprint(shape)))
	}
	x, c := node(4, 3), node(3)
	for what, f := range map[string]struct {
		x, gain, shift *gorgonia.Node
		epsilon        float64
	}{
		"nil":                 {nil, c, c, 1e-5},
		"no gain":             {x, nil, c, 1e-5},
		"a short gain":        {x, node(2), c, 1e-5},
		"a matrix as shift":   {x, c, node(3, 1), 1e-5},
		"a negative epsilon":  {x, c, c, -1},
		"epsilon NaN":         {x, c, c, math.NaN()},
		"an infinite epsilon": {x, c, c, math.Inf(1)},
	} {
		if _, err := LayerNorm(f.x, f.gain, f.shift, f.epsilon); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}
