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

func tokenArray(rows, cols int, v ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))
}

// TestEmbed has tokens that occur more than once, padding and rows that no token has.
func TestEmbed(t *testing.T) {
	rng := rand.New(rand.NewPCG(141, 1))
	tokens := []int{3, 1, 3, 0, 4, 3, 0, 0}
	for _, padding := range []int{-1, 0} {
		for _, shape := range [][]int{{8}, {2, 4}, {2, 2, 2}} {
			opTest{
				name:   "embed",
				build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Embed(in[0], in[1], 1.5, padding) },
				inputs: []*tensor.Dense{randn(rng, 6, 3), tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(tokens)))},
				wrt:    []int{0},
				want: func(in [][]float64) []float64 {
					var y []float64
					for _, token := range tokens {
						for _, v := range in[0][token*3 : token*3+3] {
							if token == padding {
								v = 0
							}
							y = append(y, 1.5*v)
						}
					}
					return y
				},
			}.run(t)
		}
	}
}

// TestEmbedGradientClears runs one gradient on changing tokens, and after another wrote
// to its result.
func TestEmbedGradientClears(t *testing.T) {
	k := &embedGrad[float64]{embedding: embedding{scale: 1, padding: 0}, table: tensor.Shape{5, 2}}
	a := &args[float64]{in: [][]float64{{1, 2, 3, 4, 5, 6}, nil}, shapes: []tensor.Shape{{3, 2}, {3}}, out: make([]float64, 10)}
	for _, c := range []struct {
		tokens []int
		want   []float64
	}{
		{[]int{1, 4, 1}, []float64{0, 0, 6, 8, 0, 0, 0, 0, 3, 4}},
		{[]int{0, 4, 2}, []float64{0, 0, 0, 0, 5, 6, 0, 0, 3, 4}},
		{[]int{0, 0, 0}, make([]float64, 10)},
	} {
		a.out[6], a.ints = math.NaN(), c.tokens
		if err := k.run(a); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.out, c.want) {
			t.Errorf("tokens %v: %v, not %v", c.tokens, a.out, c.want)
		}
	}
}

// TestAddPositions compares with fairseq's formula.
func TestAddPositions(t *testing.T) {
	rng := rand.New(rand.NewPCG(141, 2))
	for _, d := range []int{1, 2, 5, 8} {
		opTest{
			name:   "addPositions",
			build:  func(in gorgonia.Nodes) (*gorgonia.Node, error) { return AddPositions(in[0], 3, 0.5) },
			inputs: []*tensor.Dense{randn(rng, 6, d)},
			wrt:    []int{0},
			want: func(in [][]float64) []float64 {
				y := slices.Clone(in[0])
				half := d / 2
				for j := range half {
					w := math.Exp(-float64(j) * math.Log(10000) / max(float64(half)-1, 1))
					for i := range 6 {
						y[i*d+j] += 0.5 * math.Sin(float64(i%3)*w)
						y[i*d+half+j] += 0.5 * math.Cos(float64(i%3)*w)
					}
				}
				return y
			},
		}.run(t)
	}
}

func TestLengths(t *testing.T) {
	for _, c := range []struct {
		padding int
		want    []int
	}{{0, []int{2, 0, 3}}, {-1, []int{3, 3, 3}}} {
		g := gorgonia.NewGraph()
		tokens := inputNode(g, tokenArray(3, 3, 5, 6, 0, 0, 0, 7, 4, 4, 4), tensor.Float64, "tokens")
		n, err := Lengths(tokens, c.padding)
		if err != nil {
			t.Fatal(err)
		}
		v, err := n.Op().Do(tokens.Value())
		if err != nil {
			t.Fatal(err)
		}
		if got := v.(*tensor.Dense).Ints(); !slices.Equal(got, c.want) || n.Dtype() != tensor.Int {
			t.Errorf("padding %d: %v of %v, not %v", c.padding, got, n.Dtype(), c.want)
		}
	}
}

func TestEmbedRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	table := inputNode(g, matrix(3, 2, 1, 2, 3, 4, 5, 6), tensor.Float64, "table")
	for text, token := range map[string]int{"token 3 of sentence 1 at position 0": 3, "token -1 of sentence 1 at position 0": -1} {
		tokens := inputNode(g, tokenArray(2, 2, 0, 1, token, 2), tensor.Float64, text)
		y, err := Embed(table, tokens, 1, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := y.Op().Do(table.Value(), tokens.Value()); !errors.Is(err, ErrTarget) || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, not %q", err, text)
		}
	}
	good := inputNode(g, tokenArray(2, 2, 0, 1, 1, 2), tensor.Float64, "good")
	for i, f := range []func() (*gorgonia.Node, error){
		func() (*gorgonia.Node, error) { return Embed(nil, good, 1, 0) },
		func() (*gorgonia.Node, error) { return Embed(table, nil, 1, 0) },
		func() (*gorgonia.Node, error) { return Embed(table, table, 1, 0) },
		func() (*gorgonia.Node, error) { return Embed(good, good, 1, 0) },
		func() (*gorgonia.Node, error) { return Embed(table, good, math.NaN(), 0) },
		func() (*gorgonia.Node, error) { return AddPositions(table, 2, 1) },
		func() (*gorgonia.Node, error) { return AddPositions(table, 0, 1) },
		func() (*gorgonia.Node, error) { return Lengths(table, 0) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("case %d: no error", i)
		}
	}
}

// TestEmbedOnCores has the same bits on one core and on two.
func TestEmbedOnCores(t *testing.T) {
	rng := rand.New(rand.NewPCG(141, 3))
	tokens := make([]int, 3000)
	for i := range tokens {
		tokens[i] = rng.IntN(50)
	}
	inputs := []*tensor.Dense{randn(rng, 50, 130), ints(tokens...)}
	tc := opTest{name: "embed", build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Embed(in[0], in[1], 1.5, 0) }, inputs: inputs, wrt: []int{0}}
	c := randn(rng, 3000, 130)
	_, many := tc.evaluate(t, inputs, tensor.Float32, c, true)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, one := tc.evaluate(t, inputs, tensor.Float32, c, true)
	if !slices.Equal(one[0], many[0]) {
		t.Error("the gradient depends on the number of cores")
	}
}
