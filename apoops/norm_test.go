package apoops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// moments is the reference of a channel's mean and of its variance that divides
// by m - free.
func moments(x []float64, s tensor.Shape, channel int, free float64) (mu, variance float64) {
	var values []float64
	run := s.TotalSize() / (s[0] * s[1])
	for i := range s[0] {
		at := (i*s[1] + channel) * run
		values = append(values, x[at:at+run]...)
	}
	mu = average(values)
	for _, v := range values {
		variance += (v - mu) * (v - mu) / (float64(len(values)) - free)
	}
	return mu, variance
}

// normalized is the reference of batch norm; of gives a channel's moments.
func normalized(in [][]float64, s tensor.Shape, epsilon float64, a Activation, of func(channel int) (mu, variance float64)) []float64 {
	y := make([]float64, s.TotalSize())
	run := len(y) / (s[0] * s[1])
	for i := range y {
		c := i / run % s[1]
		mu, v := of(c)
		y[i] = act(a, in[1][c]*(in[0][i]-mu)/math.Sqrt(v+epsilon)+in[2][c])
	}
	return y
}

var normShapes = []tensor.Shape{{4, 3}, {2, 1}, {2, 3, 2, 3}, {3, 2, 5, 1}, {1, 2, 3, 3}}

func TestBatchNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for _, s := range normShapes {
		for _, a := range []Activation{Identity, ReLUAct, SigmoidAct, TanhAct, RectifyAct} {
			for _, computed := range []bool{true, false} {
				const epsilon = 1e-3
				wrt := []int{1, 2}
				if computed {
					wrt = []int{0, 1, 2}
				}
				opTest{
					name: fmt.Sprintf("batch norm %v of %v", a, s),
					build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
						x := in[0]
						if computed {
							x = gorgonia.Must(Reshape(x, s...))
						}
						y, _, _, err := BatchNorm(x, in[1], in[2], epsilon, a)
						return y, err
					},
					inputs: []*tensor.Dense{randn(rng, s...), randn(rng, s[1]), randn(rng, s[1])},
					wrt:    wrt,
					want: func(in [][]float64) []float64 {
						return normalized(in, s, epsilon, a, func(c int) (float64, float64) { return moments(in[0], s, c, 0) })
					},
				}.run(t)
				opTest{
					name: fmt.Sprintf("batch norm with moments %v of %v", a, s),
					build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
						x := in[0]
						if computed {
							x = gorgonia.Must(Reshape(x, s...))
						}
						return BatchNormWith(x, in[1], in[2], in[3], gorgonia.Must(square(in[4])), epsilon, a)
					},
					inputs: []*tensor.Dense{randn(rng, s...), randn(rng, s[1]), randn(rng, s[1]), randn(rng, s[1]), randn(rng, s[1])},
					wrt:    wrt,
					want: func(in [][]float64) []float64 {
						return normalized(in, s, epsilon, a, func(c int) (float64, float64) { return in[3][c], in[4][c] * in[4][c] })
					},
				}.run(t)
			}
		}
	}
}

func square(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.HadamardProd(x, x) }

// TestBatchNormMoments: the mean and the unbiased variance that running
// statistics average.
func TestBatchNormMoments(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, s := range normShapes {
		for which := range 2 {
			opTest{
				name: fmt.Sprintf("moment %d of %v", which, s),
				build: func(in gorgonia.Nodes) (*gorgonia.Node, error) {
					_, mu, variance, err := BatchNorm(in[0], in[1], in[2], 1e-5, ReLUAct)
					return [2]*gorgonia.Node{mu, variance}[which], err
				},
				inputs: []*tensor.Dense{randn(rng, s...), randn(rng, s[1]), randn(rng, s[1])},
				want: func(in [][]float64) []float64 {
					y := make([]float64, s[1])
					for c := range y {
						mu, v := moments(in[0], s, c, 1)
						y[c] = [2]float64{mu, v}[which]
					}
					return y
				},
			}.run(t)
		}
	}
}

// TestBatchNormFarFromZero: a mean ten thousand times the deviation costs no
// accuracy beyond the rounding of x.
func TestBatchNormFarFromZero(t *testing.T) {
	const n = 4096
	x := make([]float32, n)
	exact := make([]float64, n)
	for i := range x {
		x[i] = 10000 + float32(i%64)/64
		exact[i] = float64(x[i])
	}
	mu, v := moments(exact, tensor.Shape{n, 1}, 0, 1)
	g := gorgonia.NewGraph()
	in := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName("x"), gorgonia.WithShape(n, 1), gorgonia.WithValue(tensor.New(tensor.WithShape(n, 1), tensor.WithBacking(x))))
	one := inputNode(g, tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{1})), tensor.Float32, "one")
	_, mean, variance, err := BatchNorm(in, one, one, 0, Identity)
	if err != nil {
		t.Fatal(err)
	}
	var m, s gorgonia.Value
	gorgonia.Read(mean, &m)
	gorgonia.Read(variance, &s)
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	compare(t, "mean", floats(m), []float64{mu}, 1e-7)
	compare(t, "variance", floats(s), []float64{v}, 1e-6)
}

// TestBatchNormNaN: a NaN spoils its channel, not the others.
func TestBatchNormNaN(t *testing.T) {
	g := gorgonia.NewGraph()
	x := inputNode(g, tensor.New(tensor.WithShape(3, 2), tensor.WithBacking([]float64{1, 2, math.NaN(), 5, 7, 1})), tensor.Float64, "x")
	w := inputNode(g, tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{1, 2})), tensor.Float64, "w")
	y, _, _, err := BatchNorm(gorgonia.Must(Reshape(x, 3, 2)), w, w, 1e-5, ReLUAct)
	if err != nil {
		t.Fatal(err)
	}
	value, d := runNode(t, y, x)
	for i := range value {
		if math.IsNaN(value[i]) != (i%2 == 0) || math.IsNaN(d[i]) != (i%2 == 0) {
			t.Fatalf("value %v, gradient %v", value, d)
		}
	}
}

// TestBatchNormRebuilt: fresh ops on new operands give what the first ones do,
// and the two do not see each other's buffers.
func TestBatchNormRebuilt(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	g := gorgonia.NewGraph()
	x, w := inputNode(g, randn(rng, 4, 3), tensor.Float64, "x"), inputNode(g, randn(rng, 3), tensor.Float64, "w")
	other := inputNode(g, randn(rng, 4, 3), tensor.Float64, "other")
	_, mean, variance, err := BatchNorm(x, w, w, 1e-5, Identity)
	if err != nil {
		t.Fatal(err)
	}
	_, wantMean, wantVariance, err := BatchNorm(other, w, w, 1e-5, Identity)
	if err != nil {
		t.Fatal(err)
	}
	var again func(n *gorgonia.Node) *gorgonia.Node
	again = func(n *gorgonia.Node) *gorgonia.Node {
		if n == x {
			return other
		}
		f, ok := n.Op().(Cloner)
		if !ok {
			return n
		}
		var in gorgonia.Nodes
		for _, c := range children(g, n) {
			in = append(in, again(c))
		}
		return gorgonia.Must(gorgonia.ApplyOp(f.Clone(nil), in...))
	}
	values := make([]gorgonia.Value, 6)
	for i, n := range []*gorgonia.Node{again(mean), wantMean, again(variance), wantVariance, mean, variance} {
		gorgonia.Read(n, &values[i])
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	compare(t, "mean", floats(values[0]), floats(values[1]), 0)
	compare(t, "variance", floats(values[2]), floats(values[3]), 0)
	if floats(values[4])[0] == floats(values[0])[0] || floats(values[5])[0] == floats(values[2])[0] {
		t.Fatal("the rebuilt moments are the first ones'")
	}
}

func TestBatchNormRefuses(t *testing.T) {
	g := gorgonia.NewGraph()
	node := func(shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprint(shape)))
	}
	x, c := node(4, 3, 2, 2), node(3)
	for what, f := range map[string]struct {
		x, scale, shift *gorgonia.Node
		epsilon         float64
		act             Activation
	}{
		"nil":                   {nil, c, c, 1e-5, Identity},
		"no scale":              {x, nil, c, 1e-5, Identity},
		"a volume":              {node(4, 3, 2), c, c, 1e-5, Identity},
		"a short scale":         {x, node(2), c, 1e-5, Identity},
		"a matrix as shift":     {x, c, node(3, 1), 1e-5, Identity},
		"one value a channel":   {node(1, 3), c, c, 1e-5, Identity},
		"a negative epsilon":    {x, c, c, -1, Identity},
		"epsilon NaN":           {x, c, c, math.NaN(), Identity},
		"an infinite epsilon":   {x, c, c, math.Inf(1), Identity},
		"an unknown activation": {x, c, c, 1e-5, Activation(7)},
	} {
		if _, _, _, err := BatchNorm(f.x, f.scale, f.shift, f.epsilon, f.act); err == nil {
			t.Errorf("%s was accepted", what)
		}
		if what == "one value a channel" {
			continue
		}
		if _, err := BatchNormWith(f.x, f.scale, f.shift, c, c, f.epsilon, f.act); err == nil {
			t.Errorf("%s was accepted in evaluation", what)
		}
	}
	for what, m := range map[string][2]*gorgonia.Node{"nil": {c, nil}, "short": {node(2), node(2)}, "different": {c, node(2)}, "a matrix": {node(3, 1), node(3, 1)}} {
		if _, err := BatchNormWith(x, c, c, m[0], m[1], 1e-5, Identity); err == nil {
			t.Errorf("moments: %s was accepted", what)
		}
	}
}
