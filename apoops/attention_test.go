package apoops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// attentionCase is an attention of n sentences; lengths may be nil.
type attentionCase struct {
	n, queries, keys, heads, width int
	lengths                        []int
	causal                         bool
	dropout                        float64
}

var attentionCases = []attentionCase{
	{n: 1, queries: 1, keys: 1, heads: 1, width: 2},
	{n: 2, queries: 3, keys: 3, heads: 2, width: 4},
	{n: 2, queries: 3, keys: 3, heads: 2, width: 4, causal: true},
	{n: 3, queries: 4, keys: 4, heads: 2, width: 6, lengths: []int{4, 0, 2}},
	{n: 2, queries: 4, keys: 4, heads: 1, width: 3, lengths: []int{3, 1}, causal: true},
	{n: 2, queries: 2, keys: 5, heads: 3, width: 6, lengths: []int{5, 3}}, // cross attention
	{n: 2, queries: 2, keys: 4, heads: 2, width: 2, causal: true},         // the last positions of four
	{n: 2, queries: 5, keys: 3, heads: 2, width: 4, lengths: []int{2, 3}, dropout: 0.4},
	{n: 3, queries: 3, keys: 3, heads: 2, width: 4, lengths: []int{3, 0, 1}, causal: true, dropout: 0.3},
}

const attentionStream = 7

func (c attentionCase) settings(masks *Random) AttentionSettings {
	return AttentionSettings{Examples: c.n, Heads: c.heads, Causal: c.causal, Dropout: c.dropout, Random: masks, Stream: attentionStream}
}

// inputs are queries, keys, values and, where the case has them, lengths.
func (c attentionCase) inputs(rng *rand.Rand) []*tensor.Dense {
	in := []*tensor.Dense{randn(rng, c.n*c.queries, c.width), randn(rng, c.n*c.keys, c.width), randn(rng, c.n*c.keys, c.width)}
	if c.lengths != nil {
		in = append(in, tensor.New(tensor.WithShape(c.n), tensor.WithBacking(slices.Clone(c.lengths))))
	}
	return in
}

func (c attentionCase) build(masks *Random) func(gorgonia.Nodes) (*gorgonia.Node, error) {
	return func(in gorgonia.Nodes) (*gorgonia.Node, error) {
		return Attention(in[0], in[1], in[2], lengthsAmong(in), c.settings(masks))
	}
}

func lengthsAmong(in gorgonia.Nodes) *gorgonia.Node {
	if len(in) > 3 {
		return in[3]
	}
	return nil
}

// weights is the softmax written naively, and want attention; mask is 0 or 1/(1-rate)
// by element of the weights.
func (c attentionCase) weights(q, k []float64) []float64 {
	depth := c.width / c.heads
	all := make([]float64, c.n*c.heads*c.queries*c.keys)
	for row := range c.n * c.heads * c.queries {
		n, h, i := row/(c.heads*c.queries), row/c.queries%c.heads, row%c.queries
		w := all[row*c.keys : (row+1)*c.keys]
		var sum float64
		for j := range w {
			if c.lengths != nil && j >= c.lengths[n] || c.causal && j > c.keys-c.queries+i {
				continue
			}
			var dot float64
			for e := h * depth; e < (h+1)*depth; e++ {
				dot += q[(n*c.queries+i)*c.width+e] * k[(n*c.keys+j)*c.width+e]
			}
			w[j] = math.Exp(dot / math.Sqrt(float64(depth)))
			sum += w[j]
		}
		for j := range w {
			if sum > 0 {
				w[j] /= sum
			}
		}
	}
	return all
}

func (c attentionCase) want(mask []float64) func(in [][]float64) []float64 {
	return func(in [][]float64) []float64 {
		depth := c.width / c.heads
		w := c.weights(in[0], in[1])
		y := make([]float64, c.n*c.queries*c.width)
		for at := range y {
			n, i, h := at/(c.width*c.queries), at/c.width%c.queries, at%c.width/depth
			for j := range c.keys {
				p := ((n*c.heads+h)*c.queries+i)*c.keys + j
				y[at] += w[p] * mask[p] * in[2][(n*c.keys+j)*c.width+at%c.width]
			}
		}
		return y
	}
}

func TestAttention(t *testing.T) {
	rng := rand.New(rand.NewPCG(70, 1))
	for _, c := range attentionCases {
		masks := NewRandom(3)
		mask := maskOf(t, c.n*c.heads*c.queries*c.keys, c.dropout, masks, attentionStream)
		for i := range mask {
			mask[i] /= 1 - c.dropout
		}
		opTest{
			name:   fmt.Sprintf("attention %+v", c),
			build:  c.build(masks),
			inputs: c.inputs(rng),
			wrt:    []int{0, 1, 2},
			want:   c.want(mask),
		}.run(t)
		opTest{
			name: fmt.Sprintf("weights of attention %+v", c),
			build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
				return AttentionWeights(in[0], in[1], lengthsAmong(in), c.settings(nil))
			},
			inputs: c.inputs(rng),
			wrt:    []int{0, 1},
			want:   func(in [][]float64) []float64 { return c.weights(in[0], in[1]) },
		}.run(t)
	}
}

// TestAttentionOfOneArray: self-attention of an array that is query, key and value adds
// up the gradients of the three.
func TestAttentionOfOneArray(t *testing.T) {
	c := attentionCase{n: 2, queries: 3, keys: 3, heads: 2, width: 4}
	opTest{
		name: "attention of one array",
		build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
			return Attention(in[0], in[0], in[0], nil, c.settings(nil))
		},
		inputs: []*tensor.Dense{randn(rand.New(rand.NewPCG(70, 2)), 6, 4)},
		wrt:    []int{0},
	}.run(t)
}

// TestAttentionIgnoresPadding: what stands behind a sentence's length changes neither
// the result nor a gradient, and a sentence of length 0 gives exactly 0.
func TestAttentionIgnoresPadding(t *testing.T) {
	rng := rand.New(rand.NewPCG(70, 3))
	c := attentionCase{n: 2, queries: 3, keys: 4, heads: 2, width: 4, lengths: []int{2, 0}}
	in := c.inputs(rng)
	tc := opTest{name: "attention", build: c.build(nil), inputs: in, wrt: []int{0, 1, 2}}
	weights := randn(rng, 6, 4)
	y, d := tc.evaluate(t, in, tensor.Float64, weights, true)
	for _, x := range in[1:3] {
		for i := range x.Float64s() {
			if i >= 2*c.width {
				x.Float64s()[i] = 1e6 * rng.NormFloat64()
			}
		}
	}
	y2, d2 := tc.evaluate(t, in, tensor.Float64, weights, true)
	if !slices.Equal(y, y2) {
		t.Fatal("padding changed the result")
	}
	for i, x := range append([][]float64{y}, d...) {
		if i > 0 && !slices.Equal(x, d2[i-1]) {
			t.Fatalf("padding changed gradient %d", i-1)
		}
		masked := x[len(x)/2:] // of the sentence of length 0
		if slices.ContainsFunc(masked, func(v float64) bool { return v != 0 }) {
			t.Fatalf("array %d of a masked sentence is %v", i, masked)
		}
	}
}

// TestAttentionOnAnyNumberOfCores: forwards and backwards the bits are the same.
func TestAttentionOnAnyNumberOfCores(t *testing.T) {
	c := attentionCase{n: 9, queries: 20, keys: 23, heads: 4, width: 64, dropout: 0.1}
	for n := range c.n {
		c.lengths = append(c.lengths, 23-2*n)
	}
	rng := rand.New(rand.NewPCG(70, 4))
	in, weights := c.inputs(rng), randn(rng, c.n*c.queries, c.width)
	gain, shift := randn(rng, c.width), randn(rng, c.width)
	tc := opTest{name: "attention and layer norm", wrt: []int{0, 1, 2, 4, 5}, build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
		y, err := c.build(NewRandom(2))(in)
		if err != nil {
			return nil, err
		}
		return LayerNorm(y, in[4], in[5], 1e-5)
	}}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		var want [][]float64
		for cores := 1; cores <= 3; cores++ {
			runtime.GOMAXPROCS(cores)
			y, d := tc.evaluate(t, append(in[:4:4], gain, shift), dt, weights, true)
			d = append(d, y)
			for i := range want {
				if !slices.Equal(d[i], want[i]) {
					t.Fatalf("%v: array %d has other bits on %d cores", dt, i, cores)
				}
			}
			want = d
		}
	}
}

// TestTextOpsAllocateNothing is TestOpsAllocateNothing for attention and layer norm.
func TestTextOpsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	const rows, d = 8 * 30, 64
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewMatrix(g, dt, gorgonia.WithShape(rows, d), gorgonia.WithName("x"))
		c := gorgonia.NewVector(g, dt, gorgonia.WithShape(d), gorgonia.WithName("c"))
		lengths := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(8), gorgonia.WithName("lengths"))
		y, err := LayerNorm(x, c, c, 1e-5)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []*gorgonia.Node{nil, lengths} {
			s := AttentionSettings{Examples: 8, Heads: 4, Causal: true, Dropout: 0.1, Random: NewRandom(1)}
			if y, err = Attention(y, y, y, l, s); err != nil {
				t.Fatal(err)
			}
		}
		table := gorgonia.NewMatrix(g, dt, gorgonia.WithShape(100, d), gorgonia.WithName("table"))
		logits, err := LinearTransposed(y, table)
		if err != nil {
			t.Fatal(err)
		}
		cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Sum(logits, 0)), 0))
		if _, err := gorgonia.Grad(cost, x, c, table); err != nil {
			t.Fatal(err)
		}
		last := gorgonia.NewMatrix(g, dt, gorgonia.WithShape(8, d), gorgonia.WithName("last"))
		if _, err := AttentionStep(last, last, last, x, x, lengths, 4); err != nil {
			t.Fatal(err)
		}
		if n := checkAllocations(t, g, dt); n < 24 {
			t.Fatalf("only %d ops were run", n)
		}
	}
}

func TestAttentionRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(dt tensor.Dtype, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprint(dt, shape)))
	}
	x, wide, long := node(tensor.Float64, 6, 4), node(tensor.Float64, 6, 8), node(tensor.Float64, 8, 4)
	two := AttentionSettings{Examples: 2, Heads: 2}
	for what, f := range map[string]struct {
		q, k, v, lengths *gorgonia.Node
		s                AttentionSettings
	}{
		"no query":                 {nil, x, x, nil, two},
		"no keys":                  {x, nil, x, nil, two},
		"no values":                {x, x, nil, nil, two},
		"a vector":                 {node(tensor.Float64, 6), x, x, nil, two},
		"other widths":             {x, wide, wide, nil, two},
		"other values":             {x, x, wide, nil, two},
		"fewer values":             {x, long, x, nil, two},
		"another dtype":            {x, node(tensor.Float32, 6, 4), node(tensor.Float32, 6, 4), nil, two},
		"no sentences":             {x, x, x, nil, AttentionSettings{Heads: 2}},
		"rows of no sentence":      {x, x, x, nil, AttentionSettings{Examples: 4, Heads: 2}},
		"no heads":                 {x, x, x, nil, AttentionSettings{Examples: 2}},
		"three heads":              {x, x, x, nil, AttentionSettings{Examples: 2, Heads: 3}},
		"lengths of three":         {x, x, x, node(tensor.Int, 3), two},
		"lengths of another dtype": {x, x, x, node(tensor.Float64, 2), two},
		"queries beyond the keys":  {long, x, x, nil, AttentionSettings{Examples: 2, Heads: 2, Causal: true}},
		"dropout without masks":    {x, x, x, nil, AttentionSettings{Examples: 2, Heads: 2, Dropout: 0.1}},
		"dropout of all":           {x, x, x, nil, AttentionSettings{Examples: 2, Heads: 2, Dropout: 1, Random: NewRandom(1)}},
	} {
		if _, err := Attention(f.q, f.k, f.v, f.lengths, f.s); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	w, err := AttentionWeights(x, x, node(tensor.Int, 2), two)
	if err != nil {
		t.Fatal(err)
	}
	value := randn(rand.New(rand.NewPCG(1, 1)), 6, 4)
	for _, l := range []int{-1, 4} {
		if _, err := w.Op().Do(value, value, tensor.New(tensor.WithShape(2), tensor.WithBacking([]int{3, l}))); err == nil {
			t.Errorf("length %d of 3 was accepted", l)
		}
	}
}

// BenchmarkAttention times attention of 146 sentences of 28 tokens and, with its
// gradients, both passes; then those of layer norm of as many rows.
func BenchmarkAttention(b *testing.B) {
	const n, length, d = 146, 28, 512
	rng := rand.New(rand.NewPCG(70, 5))
	for _, name := range []string{"attention", "layerNorm"} {
		for _, grads := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/backward=%v", name, grads), func(b *testing.B) {
				g := gorgonia.NewGraph()
				var in gorgonia.Nodes
				for _, operand := range []string{"q", "k", "v"} {
					in = append(in, inputNode(g, randn(rng, n*length, d), tensor.Float32, operand))
				}
				c := inputNode(g, randn(rng, d), tensor.Float32, "c")
				y, err := Attention(in[0], in[1], in[2], nil, AttentionSettings{Examples: n, Heads: 4, Dropout: 0.1, Random: NewRandom(1)})
				wrt := in
				if name == "layerNorm" {
					y, err = LayerNorm(in[0], c, c, 1e-5)
					wrt = gorgonia.Nodes{in[0], c}
				}
				if err != nil {
					b.Fatal(err)
				}
				if grads {
					if _, err := gorgonia.Grad(gorgonia.Must(InnerProduct(y, in[1], 1)), wrt...); err != nil {
						b.Fatal(err)
					}
				}
				vm := gorgonia.NewTapeMachine(g)
				defer vm.Close()
				b.ReportAllocs()
				for b.Loop() {
					if err := vm.RunAll(); err != nil {
						b.Fatal(err)
					}
					vm.Reset()
				}
			})
		}
	}
}
