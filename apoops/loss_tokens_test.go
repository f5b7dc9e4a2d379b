package apoops

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// tokenCases are target arrays for logits of six rows and five classes.
var tokenCases = []struct {
	padding int
	targets *tensor.Dense
}{
	{0, tokenArray(2, 3, 4, 1, 0, 2, 0, 0)},
	{-1, tokenArray(2, 3, 4, 1, 0, 2, 0, 0)},
	{7, tokenArray(3, 2, 4, 1, 0, 7, 3, 3)},
	{2, ints(2, 2, 2, 1, 2, 2)},
}

func TestTokenCrossEntropy(t *testing.T) {
	rng := rand.New(rand.NewPCG(142, 1))
	for _, c := range tokenCases {
		for _, smoothing := range []float64{0, 0.1} {
			s := TokenSettings{Padding: c.padding, Smoothing: smoothing}
			opTest{
				name:   "tokenCrossEntropy",
				build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return TokenCrossEntropy(in[0], in[1], s) },
				inputs: []*tensor.Dense{randn(rng, 6, 5), c.targets}, wrt: []int{0},
				want: func(in [][]float64) []float64 {
					var sum, n float64
					for i, target := range c.targets.Ints() {
						if target == c.padding {
							continue
						}
						n++
						for j, l := range logSoftmaxOf(in[0][i*5 : i*5+5]) {
							sum -= smoothing / 5 * l
							if j == target {
								sum -= (1 - smoothing) * l
							}
						}
					}
					return []float64{sum / n}
				},
			}.run(t)
		}
	}
}

// TestTokenDivergences compares with the categorical ones on the rows that count.
func TestTokenDivergences(t *testing.T) {
	rng := rand.New(rand.NewPCG(142, 2))
	for name, f := range map[string]func(old, new, tokens *gorgonia.Node, padding int) (*gorgonia.Node, error){
		"categoricalKL": TokenKL, "categoricalReverseKL": TokenReverseKL,
	} {
		of := lossNamed(name).row
		for _, c := range tokenCases {
			opTest{
				name:   name,
				build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return f(in[0], in[1], in[2], c.padding) },
				inputs: []*tensor.Dense{randn(rng, 6, 5), randn(rng, 6, 5), c.targets}, wrt: []int{1},
				want: func(in [][]float64) []float64 {
					var sum, n float64
					for i, token := range c.targets.Ints() {
						if token != c.padding {
							n++
							sum += of(in[0][i*5:i*5+5], in[1][i*5:i*5+5])
						}
					}
					return []float64{sum / n}
				},
			}.run(t)
		}
	}
}

// TestTokenCrossEntropyOfSpecialRows is as SoftmaxCrossEntropy there.
func TestTokenCrossEntropyOfSpecialRows(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, z := range [][]float64{
			{1e4, -1e4, 0}, {-inf, 0, 0}, {-inf, -inf, -inf}, {30, 0, -inf}, {-inf, math.NaN(), -inf},
		} {
			for target := range 3 {
				in := []*tensor.Dense{matrix(1, 3, z...), ints(target)}
				want, dWant := opTest{build: crossEntropyNode, wrt: []int{0}}.evaluate(t, in, dt, nil, true)
				got, d := opTest{build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
					return TokenCrossEntropy(in[0], in[1], TokenSettings{Padding: -1})
				}, wrt: []int{0}}.evaluate(t, in, dt, nil, true)
				compare(t, "value", got, want, 1e-6)
				compare(t, "gradient", d[0], dWant[0], 1e-6)
				if z[0] == 30 && target == 0 && math.Abs(d[0][0]/math.Exp(-30)+1) > 0.1 {
					t.Errorf("%v: gradient %v of a sure hit, want %v", dt, d[0][0], -math.Exp(-30))
				}
			}
		}
	}
}

func TestTokensRefused(t *testing.T) {
	g := gorgonia.NewGraph()
	y := inputNode(g, randn(rand.New(rand.NewPCG(1, 1)), 4, 3), tensor.Float64, "y")
	for text, tokens := range map[string][]int{
		"target 3 of sentence 1 at position 0": {0, 1, 3, 2}, "target -1 of sentence 0 at position 1": {0, -1, 1, 2}, "all 4 tokens are padding": {0, 0, 0, 0},
	} {
		n := inputNode(g, tokenArray(2, 2, tokens...), tensor.Float64, text)
		loss, err := TokenCrossEntropy(y, n, TokenSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := loss.Op().Do(y.Value(), n.Value()); !errors.Is(err, ErrTarget) || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, not %q", err, text)
		}
	}
	good, short := inputNode(g, tokenArray(2, 2, 0, 1, 2, 0), tensor.Float64, "good"), inputNode(g, ints(0, 1), tensor.Float64, "short")
	noise := NewRandom(1)
	for i, f := range []func() (*gorgonia.Node, error){
		func() (*gorgonia.Node, error) { return TokenCrossEntropy(y, y, TokenSettings{}) },
		func() (*gorgonia.Node, error) { return TokenCrossEntropy(y, short, TokenSettings{}) },
		func() (*gorgonia.Node, error) { return TokenCrossEntropy(y, good, TokenSettings{Smoothing: 1}) },
		func() (*gorgonia.Node, error) {
			return TokenCrossEntropy(y, good, TokenSettings{Smoothing: math.NaN()})
		},
		func() (*gorgonia.Node, error) { return TokenKL(y, y, short, 0) },
		func() (*gorgonia.Node, error) { return TokenKL(y, y, nil, 0) },
		func() (*gorgonia.Node, error) { return SampleTokens(y, good, 0, nil) },
		func() (*gorgonia.Node, error) { return SampleTokens(y, short, 0, noise) },
		func() (*gorgonia.Node, error) { return ProbeTokens(y, short, 0, noise) },
		func() (*gorgonia.Node, error) { return ProbeTokens(y, good, 0, nil) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("case %d: no error", i)
		}
	}
}

// TestSampleTokens counts what is drawn where a token stands: never the padding.
func TestSampleTokens(t *testing.T) {
	const rows = 20000
	var z []float64
	tokens := make([]int, rows)
	for i := range tokens {
		z = append(z, math.Log(0.5), math.Log(0.1), math.Log(0.4))
		tokens[i] = i % 2
	}
	g := gorgonia.NewGraph()
	y, in := inputNode(g, matrix(rows, 3, z...), tensor.Float32, "y"), inputNode(g, tokenArray(rows/4, 4, tokens...), tensor.Float32, "tokens")
	n, err := SampleTokens(y, in, 0, NewRandom(3))
	if err != nil {
		t.Fatal(err)
	}
	v, err := n.Op().Do(y.Value(), in.Value())
	if err != nil {
		t.Fatal(err)
	}
	if !n.Shape().Eq(tensor.Shape{rows / 4, 4}) {
		t.Fatalf("shape %v", n.Shape())
	}
	var counts [3]float64
	for i, c := range v.(*tensor.Dense).Ints() {
		if (c == 0) != (tokens[i] == 0) {
			t.Fatalf("token %d, drawn %d", tokens[i], c)
		}
		counts[c] += 2.0 / rows
	}
	if math.Abs(counts[1]-0.2) > 0.015 || math.Abs(counts[2]-0.8) > 0.015 {
		t.Errorf("frequencies %v", counts)
	}
}

// TestProbeTokens has the directions of ProbeCategorical, of another length, where a
// token counts and none elsewhere.
func TestProbeTokens(t *testing.T) {
	z := randn(rand.New(rand.NewPCG(142, 4)), 6, 5)
	probe := func(f func(in gorgonia.Nodes) (*gorgonia.Node, error), in ...*tensor.Dense) []float64 {
		q, _ := opTest{build: f}.evaluate(t, in, tensor.Float64, z, false)
		return q
	}
	for _, c := range tokenCases {
		got := probe(func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			return ProbeTokens(in[0], in[1], c.padding, NewRandom(5))
		}, z, c.targets)
		want := probe(func(in gorgonia.Nodes) (*gorgonia.Node, error) { return ProbeCategorical(in[0], NewRandom(5)) }, z)
		n, _ := TokenSettings{Padding: c.padding}.number(c.targets.Ints())
		for i, token := range c.targets.Ints() {
			for j := range 5 {
				want[i*5+j] *= math.Sqrt(6 / float64(n))
				if token == c.padding {
					want[i*5+j] = 0
				}
			}
		}
		compare(t, "probe", got, want, 1e-12)
	}
}

// TestTokenLossOnCores has the same bits on one core and on two.
func TestTokenLossOnCores(t *testing.T) {
	rng := rand.New(rand.NewPCG(142, 3))
	targets := make([]int, 60)
	for i := range targets {
		targets[i] = rng.IntN(700)
	}
	inputs := []*tensor.Dense{randn(rng, 60, 700), ints(targets...)}
	tc := opTest{build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
		return TokenCrossEntropy(in[0], in[1], TokenSettings{Smoothing: 0.1})
	}, wrt: []int{0}}
	y, d := tc.evaluate(t, inputs, tensor.Float32, nil, true)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	yOne, dOne := tc.evaluate(t, inputs, tensor.Float32, nil, true)
	if !slices.Equal(y, yOne) || !slices.Equal(d[0], dOne[0]) {
		t.Error("the result depends on the number of cores")
	}
}
