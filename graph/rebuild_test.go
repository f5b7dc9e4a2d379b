package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// stockProblem is a two-layer net as Gorgonia's tutorials write it: stock ops,
// weights and biases apart, hand-written cross-entropy.
func stockProblem(t testing.TB, rng *rand.Rand) (*Problem, Batch) {
	t.Helper()
	g := gorgonia.NewGraph()
	node := func(name string, value *tensor.Dense) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float64, value.Dims(), gorgonia.WithName(name), gorgonia.WithShape(value.Shape()...), gorgonia.WithValue(value))
	}
	const rows, in, hidden, out = 5, 3, 4, 3
	x, y := random(rng, 1, rows, in), tensor.New(tensor.WithShape(rows, out), tensor.Of(tensor.Float64))
	for i := range rows {
		y.Float64s()[i*out+rng.IntN(out)] = 1
	}
	xn, yn := node("x", x), node("y", y)
	w1, b1 := node("w1", random(rng, 0.6, in, hidden)), node("b1", random(rng, 0.3, 1, hidden))
	w2, b2 := node("w2", random(rng, 0.6, hidden, out)), node("b2", random(rng, 0.3, 1, out))
	must := gorgonia.Must
	h := must(gorgonia.Tanh(must(gorgonia.BroadcastAdd(must(gorgonia.Mul(xn, w1)), b1, nil, []byte{0}))))
	logits := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(h, w2)), b2, nil, []byte{0}))
	lse := must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(logits)), 1))))
	hit := must(gorgonia.Sum(must(gorgonia.HadamardProd(logits, yn)), 1))
	cost := must(gorgonia.Mean(must(gorgonia.Sub(lse, hit))))
	return &Problem{
		Cost: cost, Output: logits, Inputs: gorgonia.Nodes{xn}, Targets: gorgonia.Nodes{yn},
		Params: gorgonia.Nodes{w1, b1, w2, b2}, Pairs: []Pair{{w1, b1}, {w2, b2}}, Divergence: CategoricalKL,
	}, NewBatch(x, y)
}

// TestRebuiltGradients checks ∂Q/∂φ of the rebuilt passes by central
// differences, with weight and bias paired to one block, and that the rebuilt
// loss at a step of length 0 is the user's own.
func TestRebuiltGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 1))
	q, batch := stockProblem(t, rng)
	tilde := []*tensor.Dense{random(rng, 1, 5, 3)}
	params, err := q.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := q.Blocks(params)
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 2 || blocks[0].Rows != 4 || blocks[0].Cols != 4 || blocks[1].Rows != 5 || blocks[1].Cols != 3 {
		t.Fatalf("blocks %+v", blocks)
	}
	var own gorgonia.Value
	gorgonia.Read(q.Cost, &own)
	vm := gorgonia.NewTapeMachine(q.Cost.Graph())
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	for name, look := range map[string]Lookahead{
		"rate": RateLookahead{Group: []int{0, 0, 0, 0}}, "precond": PrecondLookahead{blocks},
		"full": PrecondLookahead{OneBlock(params)},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := NewProximal(ProximalConfig{Source: q, Params: params, Lookahead: look, Batch: batch, Tilde: tilde})
			if err != nil {
				t.Fatal(err)
			}
			phi, inputs := arraysFor(rng, look, params)
			eval := func() float64 {
				for _, err := range []error{p.Feed(batch, tilde), p.FeedWeights(0.5, 0.2), p.FeedStep(phi, inputs, 1), p.Run()} {
					if err != nil {
						t.Fatal(err)
					}
				}
				return p.Terms().Q
			}
			eval()
			var grad []*tensor.Dense
			for i := range phi {
				grad = append(grad, phi[i].Clone().(*tensor.Dense))
			}
			if err := p.Gradient(grad); err != nil {
				t.Fatal(err)
			}
			for i, d := range grad {
				grad[i] = d.Clone().(*tensor.Dense)
			}
			checkGradient(t, phi, grad, eval)
			for _, in := range inputs {
				in.Zero()
			}
			eval()
			if terms := p.Terms(); math.Abs(terms.Loss-scalar(own)) > 1e-14 || terms.FSD != 0 || terms.WSD != 0 {
				t.Fatalf("at θ' = θ: %+v, the user's loss is %v", terms, own)
			}
		})
	}
}

func TestWrongPairsAreNamed(t *testing.T) {
	q, _ := stockProblem(t, rand.New(rand.NewPCG(33, 1)))
	params, err := q.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	w1, b1, w2, b2 := q.Params[0], q.Params[1], q.Params[2], q.Params[3]
	for want, pairs := range map[string][]Pair{
		"among the parameters": {{w1, q.Inputs[0]}},
		"do not make a matrix": {{w1, b2}},
		"two pairs":            {{w1, b1}, {w1, b1}},
	} {
		q.Pairs = pairs
		if _, err := q.Blocks(params); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	q.Pairs = nil
	for _, n := range []*gorgonia.Node{w1, q.Inputs[0], nil} {
		q.Filters = gorgonia.Nodes{n}
		if _, err := q.Blocks(params); err == nil || !strings.Contains(err.Error(), nodeName(n)) {
			t.Errorf("error %v does not name the filter %s", err, nodeName(n))
		}
	}
	q.Filters = nil
	if blocks, err := q.Blocks(params); err != nil || len(blocks) != 4 || blocks[2].Name != w2.Name() {
		t.Errorf("without pairs: %+v, %v", blocks, err)
	}
}

// TestWhatCannotBeRebuiltIsNamed builds one small graph for each stock op that
// is refused, and looks for the op's replacement or fault in the error.
func TestWhatCannotBeRebuiltIsNamed(t *testing.T) {
	must := gorgonia.Must
	sum := func(n *gorgonia.Node) *gorgonia.Node {
		for n.Dims() > 0 {
			n = must(gorgonia.Sum(n, 0))
		}
		return n
	}
	for name, c := range map[string]struct {
		build func(x, w *gorgonia.Node) *gorgonia.Node
		want  string
	}{
		"random": {func(x, w *gorgonia.Node) *gorgonia.Node {
			y := must(gorgonia.Mul(x, w))
			return must(gorgonia.Add(y, gorgonia.UniformRandomNode(x.Graph(), tensor.Float64, 0, 1, y.Shape()...)))
		}, "make an input of its shape instead"},
		"mean of CTC": {func(x, w *gorgonia.Node) *gorgonia.Node {
			z := must(gorgonia.Reshape(must(gorgonia.Mul(x, w)), tensor.Shape{4, 1, 2}))
			ints := func(v []int, shape ...int) *gorgonia.Node {
				return x.Graph().AddNode(gorgonia.NewConstant(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
			}
			return must(gorgonia.CTCLoss(must(gorgonia.LogSoftMax(z, 2)), ints([]int{1}, 1, 1), ints([]int{4}, 1), ints([]int{1}, 1), gorgonia.ReductionMean))
		}, "take gorgonia.ReductionSum"},
		"YOLO": {func(x, w *gorgonia.Node) *gorgonia.Node {
			images := must(gorgonia.Reshape(must(gorgonia.Mul(x, w)), tensor.Shape{1, 8, 1, 1}))
			return must(gorgonia.YOLOv3(images, []float32{1, 1}, []int{0}, 32, 3, 0.5))
		}, "has no gradient"},
		"dropout without masks": {func(x, w *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Dropout(must(gorgonia.Mul(x, w)), 0.5)) }, "masks"},
		"pooling of padding": {func(x, w *gorgonia.Node) *gorgonia.Node {
			images := must(gorgonia.Reshape(must(gorgonia.Mul(x, w)), tensor.Shape{1, 1, 4, 2}))
			return must(gorgonia.MaxPool2D(images, tensor.Shape{2, 2}, []int{2, 0}, []int{2, 2}))
		}, "padding from 0 to below the kernel"},
	} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(4, 3))
		w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(3, 2), gorgonia.WithInit(gorgonia.GlorotU(1)))
		y := c.build(x, w)
		q := &Problem{Cost: sum(y), Output: y, Inputs: gorgonia.Nodes{x}, Params: gorgonia.Nodes{w}, Divergence: HalfSquared}
		params, err := q.LearnableParams()
		if err != nil {
			t.Fatal(err)
		}
		b := q.Example()
		_, err = NewProximal(ProximalConfig{Source: q, Params: params, Lookahead: RateLookahead{Group: []int{0}}, Batch: b, Tilde: b.X})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not name %s", name, err, c.want)
		}
	}
}

// sameHash are two names by which Gorgonia takes leaves of a program, of float64 and of
// shape 2×2, for one.
func sameHash(t *testing.T) (a, b string) {
	t.Helper()
	g := gorgonia.NewGraph()
	names := make(map[uint32]string)
	for i := range 1 << 20 {
		name := fmt.Sprintf("layer%d.weight", i)
		h := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("theta/"+name), gorgonia.WithShape(2, 2)).Hashcode()
		if other, ok := names[h]; ok {
			return other, name
		}
		names[h] = name
	}
	t.Fatal("no two names collide")
	return "", ""
}

// TestSameHash builds every graph over weights whose names collide: it is built again
// under other names. Where they always collide there is an error.
func TestSameHash(t *testing.T) {
	a, b := sameHash(t)
	rng := rand.New(rand.NewPCG(41, 1))
	params := []*Param{{Name: a, Value: random(rng, 1, 2, 2), Matrix: true}, {Name: b, Value: random(rng, 1, 2, 2), Matrix: true}}
	model := linearPair{}
	src := Objective{Model: model, Loss: SquaredError}
	batch := NewBatch(random(rng, 1, 3, 2), random(rng, 1, 3, 2))
	base, err := NewBase(src, params, batch, nil)
	must(t, err)
	must(t, base.Feed(batch))
	must(t, base.Run())
	_, err = NewEvaluation(src, params, batch)
	must(t, err)
	_, err = NewProximal(ProximalConfig{Source: src, Params: params, Lookahead: RateLookahead{Group: []int{0, 0}}, Batch: batch, Tilde: batch.X})
	must(t, err)
	if where, err := Trace(src, params, batch, nil); where != "" || err != nil {
		t.Errorf("Trace: %q, %v", where, err)
	}

	tries := 0
	_, err = construct(func() (*program, error) {
		tries++
		g := gorgonia.NewGraph()
		one := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("theta/"+a), gorgonia.WithShape(2, 2))
		two := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("theta/"+b), gorgonia.WithShape(2, 2))
		return nil, distinct(gorgonia.Must(gorgonia.Add(one, two)).Graph())
	})
	if !errors.Is(err, errSameHash) || tries != attempts {
		t.Errorf("after %d attempts: %v", tries, err)
	}
}

// linearPair is x·W·V.
type linearPair struct{}

func (linearPair) Init(uint64, tensor.Dtype) ([]*Param, error) { return nil, errors.New("not drawn") }

func (linearPair) Output(_ *Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	h, err := apoops.Linear(x[0], theta[0], apoops.Identity)
	if err != nil {
		return nil, err
	}
	return apoops.Linear(h, theta[1], apoops.Identity)
}

// TestDropoutIsRebuiltWithItsMasks compares a user's graph that has
// apoops.Dropout with its rebuilt loss at θ' = θ.
func TestDropoutIsRebuiltWithItsMasks(t *testing.T) {
	rng := rand.New(rand.NewPCG(37, 1))
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(6, 20), gorgonia.WithValue(random(rng, 1, 6, 20)))
	w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(21, 3), gorgonia.WithValue(random(rng, 1, 21, 3)))
	masks := apoops.NewRandom(3)
	d := gorgonia.Must(apoops.Dropout(x, 0.5, masks, 1))
	y := gorgonia.Must(apoops.Dense(d, w, apoops.Identity))
	cost := gorgonia.Must(apoops.HalfSquaredNorm(y))
	var own gorgonia.Value
	gorgonia.Read(cost, &own)
	vm := gorgonia.NewTapeMachine(g)
	q := &Problem{Cost: cost, Output: y, Inputs: gorgonia.Nodes{x}, Params: gorgonia.Nodes{w}, Divergence: HalfSquared}
	params, err := q.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	batch := Batch{X: []*tensor.Dense{x.Value().(*tensor.Dense)}}
	look := RateLookahead{Group: []int{0}, Linear: true}
	p, err := NewProximal(ProximalConfig{Source: q, Params: params, Lookahead: look, Batch: batch, Tilde: batch.X})
	if err != nil {
		t.Fatal(err)
	}
	phi, inputs := arraysFor(rng, look, params)
	phi[0].Float64s()[0] = 0
	for step := range 3 {
		masks.SetStep(int64(step))
		vm.Reset()
		for _, err := range []error{vm.RunAll(), p.Feed(batch, batch.X), p.FeedWeights(1, 1), p.FeedStep(phi, inputs, 1), p.Run()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if terms := p.Terms(); terms.Loss != scalar(own) || terms.FSD != 0 {
			t.Fatalf("step %d: %+v, the user's cost is %v", step, terms, own)
		}
	}
}
