package apoops

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func crossEntropyNode(in gorgonia.Nodes) (*gorgonia.Node, error) {
	return SoftmaxCrossEntropy(in[0], in[1])
}

func ints(v ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))
}

func matrix(rows, cols int, v ...float64) *tensor.Dense {
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))
}

func TestSoftmaxCrossEntropy(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	for _, s := range [][2]int{{4, 3}, {1, 1}, {1, 5}, {7, 2}, {2, 150}} {
		n, c := s[0], s[1]
		targets := make([]int, n)
		for i := range targets {
			targets[i] = rng.IntN(c)
		}
		opTest{
			name: "softmaxCrossEntropy", build: crossEntropyNode,
			inputs: []*tensor.Dense{randn(rng, n, c), ints(targets...)}, wrt: []int{0},
			want: func(in [][]float64) []float64 {
				var sum float64
				for i, l := range targets {
					sum -= logSoftmaxOf(in[0][i*c : (i+1)*c])[l]
				}
				return []float64{sum / float64(n)}
			},
		}.run(t)
	}
}

func TestSoftmaxCrossEntropyOfSpecialRows(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, c := range []struct {
			z        []float64
			target   int
			want     float64
			gradient []float64
		}{
			{[]float64{1e4, -1e4, 0}, 0, 0, []float64{0, 0, 0}},
			{[]float64{1e4, -1e4, 0}, 1, 2e4, []float64{1, -1, 0}},
			{[]float64{-inf, 0, 0}, 1, math.Ln2, []float64{0, -0.5, 0.5}},
			{[]float64{-inf, 0, 0}, 0, inf, []float64{-1, 0.5, 0.5}},
			{[]float64{-inf, -inf, -inf}, 2, inf, []float64{0, 0, 0}},
			{[]float64{-inf, math.NaN(), -inf}, 2, math.NaN(), []float64{math.NaN(), math.NaN(), math.NaN()}},
			{[]float64{30, 0, -inf}, 0, math.Exp(-30), []float64{-math.Exp(-30), math.Exp(-30), 0}},
		} {
			tc := opTest{name: "special row", build: crossEntropyNode, wrt: []int{0}}
			y, d := tc.evaluate(t, []*tensor.Dense{matrix(1, 3, c.z...), ints(c.target)}, dt, nil, true)
			compare(t, "value", y, []float64{c.want}, 1e-6)
			compare(t, "gradient", d[0], c.gradient, 1e-6)
			if c.z[0] == 30 && math.Abs(d[0][0]/c.gradient[0]-1) > 0.01 {
				t.Fatalf("%v: gradient %v of a sure hit, want %v", dt, d[0][0], c.gradient[0])
			}
		}
	}
}

// TestSoftmaxCrossEntropyRefusesTargets gives targets that are no classes.
func TestSoftmaxCrossEntropyRefusesTargets(t *testing.T) {
	for _, bad := range []struct {
		targets []int
		text    string
	}{{[]int{0, 2, 3}, "row 2 is 3"}, {[]int{0, -1, 0}, "row 1 is -1"}} {
		g := gorgonia.NewGraph()
		z := inputNode(g, matrix(3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9), tensor.Float64, "z")
		targets := inputNode(g, ints(bad.targets...), tensor.Float64, "t")
		loss, err := SoftmaxCrossEntropy(z, targets)
		if err != nil {
			t.Fatal(err)
		}
		_, err = loss.Op().Do(z.Value(), targets.Value())
		if err == nil || !strings.Contains(err.Error(), bad.text) {
			t.Fatalf("targets %v: error %v, want %q", bad.targets, err, bad.text)
		}
	}
}

func TestSoftmaxCrossEntropyRefusesWrongOperands(t *testing.T) {
	g := gorgonia.NewGraph()
	z := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(4, 3), gorgonia.WithName("z"))
	v := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(4), gorgonia.WithName("v"))
	good := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(4), gorgonia.WithName("t"))
	short := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(3), gorgonia.WithName("short"))
	square := gorgonia.NewMatrix(g, tensor.Int, gorgonia.WithShape(4, 3), gorgonia.WithName("square"))
	for _, in := range [][2]*gorgonia.Node{{nil, good}, {z, nil}, {z, v}, {z, short}, {z, square}, {v, good}, {good, good}} {
		if _, err := SoftmaxCrossEntropy(in[0], in[1]); err == nil {
			t.Fatalf("SoftmaxCrossEntropy(%v, %v) was accepted", in[0], in[1])
		}
	}
	if _, err := SoftmaxCrossEntropy(z, good); err != nil {
		t.Fatal(err)
	}
}
