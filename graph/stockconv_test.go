package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// stockConv says how the convolutional net of a user is made.
type stockConv struct {
	stride, pad, dilation []int // of the first convolution
	poolPad               []int
	vectors               bool // batch norm behind the fully connected layer too
}

var stockConvs = map[string]stockConv{
	"plain":           {stride: []int{1, 1}, pad: []int{0, 0}, dilation: []int{1, 1}, poolPad: []int{0, 0}},
	"strided":         {stride: []int{2, 1}, pad: []int{1, 0}, dilation: []int{1, 1}, poolPad: []int{1, 0}, vectors: true},
	"dilated":         {stride: []int{1, 1}, pad: []int{2, 1}, dilation: []int{2, 1}, poolPad: []int{0, 1}},
	"strided, spaced": {stride: []int{1, 2}, pad: []int{1, 2}, dilation: []int{1, 2}, poolPad: []int{1, 1, 0, 0}, vectors: true},
}

// userNet is a problem with the batch norms of its graph.
type userNet struct {
	*Problem
	batch Batch
	norms []*gorgonia.BatchNormOp
}

// build makes the net of Gorgonia's own ops: two convolutions, one of them with
// bias, batch norm, rectifier and pooling, and a fully connected layer.
func (c stockConv) build(t testing.TB, rng *rand.Rand, dt tensor.Dtype) *userNet {
	t.Helper()
	g := gorgonia.NewGraph()
	u := &userNet{Problem: &Problem{Divergence: CategoricalKL}}
	node := func(name string, shape ...int) *gorgonia.Node {
		v := random(rng, 0.7, shape...)
		if dt == tensor.Float32 {
			v = narrow(v)
		}
		return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(v))
	}
	param := func(name string, shape ...int) *gorgonia.Node {
		n := node(name, shape...)
		u.Params = append(u.Params, n)
		return n
	}
	must := gorgonia.Must
	norm := func(x *gorgonia.Node, name string) *gorgonia.Node {
		shape := []int{1, x.Shape()[1]}
		if x.Dims() == 4 {
			shape = append(shape, 1, 1)
		}
		y, _, _, op, err := gorgonia.BatchNorm(x, param(name+"/scale", shape...), param(name+"/bias", shape...), 0.9, 1e-3)
		if err != nil {
			t.Fatal(err)
		}
		u.norms = append(u.norms, op)
		return y
	}
	const rows, classes = 5, 3
	x := node("x", rows, 2, 8, 7)
	y := node("y", rows, classes)
	h := must(gorgonia.Conv2d(x, param("filter0", 3, 2, 3, 2), tensor.Shape{3, 2}, c.pad, c.stride, c.dilation))
	h = must(gorgonia.BroadcastAdd(h, param("bias0", 1, 3, 1, 1), nil, []byte{0, 2, 3}))
	h = must(gorgonia.Rectify(norm(h, "norm0")))
	h = must(gorgonia.MaxPool2D(h, tensor.Shape{2, 3}, c.poolPad, []int{2, 1}))
	h = must(gorgonia.Conv2d(h, param("filter1", 4, 3, 2, 2), tensor.Shape{2, 2}, []int{0, 0}, []int{1, 1}, []int{1, 1}))
	h = must(gorgonia.Tanh(norm(h, "norm1")))
	h = must(gorgonia.Reshape(h, tensor.Shape{rows, h.Shape().TotalSize() / rows}))
	h = must(gorgonia.Mul(h, param("weight", h.Shape()[1], classes)))
	if c.vectors {
		h = norm(h, "norm2")
	}
	h = must(gorgonia.BroadcastAdd(h, param("bias", 1, classes), nil, []byte{0}))
	lse := must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(h)), 1))))
	hit := must(gorgonia.Sum(must(gorgonia.HadamardProd(h, y)), 1))
	u.Cost, u.Output = must(gorgonia.Mean(must(gorgonia.Sub(lse, hit)))), h
	u.Filters = gorgonia.Nodes{u.Params[0], u.Params[4]}
	u.Inputs, u.Targets = gorgonia.Nodes{x}, gorgonia.Nodes{y}
	u.batch = NewBatch(x.Value().(*tensor.Dense), y.Value().(*tensor.Dense))
	return u
}

// rebuiltOutput is the output on the batch, of a rebuilt graph.
func (u *userNet) rebuiltOutput(t *testing.T, params []*Param) []float64 {
	t.Helper()
	p := newProgram(params[0].Value.Dtype())
	x := p.inputsLike(u.batch.X, "x")
	theta, err := p.weights(params, "theta")
	if err != nil {
		t.Fatal(err)
	}
	y, err := u.BuildOutput(&Pass{Role: OldRole}, x, theta)
	if err != nil {
		t.Fatal(err)
	}
	var output gorgonia.Value
	gorgonia.Read(y, &output)
	for _, err := range []error{letAll("input", x, u.batch.X), p.compile(), p.Run()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return numbers(output)
}

func narrow(d *tensor.Dense) *tensor.Dense {
	v := make([]float32, d.DataSize())
	for i, x := range d.Float64s() {
		v[i] = float32(x)
	}
	return tensor.New(tensor.WithShape(d.Shape()...), tensor.WithBacking(v))
}

// state is everything of the user's that a rebuild must leave alone, as numbers:
// the values of the parameters, and the running statistics.
func (u *userNet) state() [][]float64 {
	var all [][]float64
	for _, p := range u.Params {
		all = append(all, numbers(p.Value()))
	}
	for _, op := range u.norms {
		mean, variance := op.Stats()
		all = append(all, numbers(mean), numbers(variance))
	}
	return all
}

func numbers(v gorgonia.Value) []float64 {
	switch x := v.Data().(type) {
	case []float64:
		return slices.Clone(x)
	case []float32:
		wide := make([]float64, len(x))
		for i, e := range x {
			wide[i] = float64(e)
		}
		return wide
	case float64:
		return []float64{x}
	case float32:
		return []float64{float64(x)}
	}
	return nil
}

func (u *userNet) mustBeAs(t *testing.T, when string, before [][]float64) {
	t.Helper()
	for i, now := range u.state() {
		if !slices.Equal(now, before[i]) {
			t.Fatalf("%s: array %d of the user's is %v, it was %v", when, i, now, before[i])
		}
	}
}

// apart is the largest difference of two arrays, relative to the largest number
// if that is above 1.
func apart(a, b []float64) float64 {
	difference, size := 0.0, 0.0
	for i := range a {
		difference = max(difference, math.Abs(a[i]-b[i]))
		size = max(size, math.Abs(a[i]))
	}
	return difference / max(size, 1)
}

// TestRebuiltConvolutions compares a net of Gorgonia's Conv2d, MaxPool2D and
// BatchNorm with the graph rebuilt from it: loss, output and gradients. The
// user's machine gives the same bits before and after, and its running
// statistics move by its own runs alone.
func TestRebuiltConvolutions(t *testing.T) {
	for name, c := range stockConvs {
		for dt, tolerance := range map[tensor.Dtype]float64{tensor.Float64: 1e-12, tensor.Float32: 2e-5} {
			t.Run(name+" "+dt.String(), func(t *testing.T) {
				u := c.build(t, rand.New(rand.NewPCG(41, 1)), dt)
				if _, err := gorgonia.Grad(u.Cost, u.Params...); err != nil {
					t.Fatal(err)
				}
				var cost, output gorgonia.Value
				gorgonia.Read(u.Cost, &cost)
				gorgonia.Read(u.Output, &output)
				vm := gorgonia.NewTapeMachine(u.Cost.Graph(), gorgonia.BindDualValues(u.Params...))
				defer vm.Close()
				run := func() [][]float64 {
					t.Helper()
					if err := vm.RunAll(); err != nil {
						t.Fatal(err)
					}
					results := [][]float64{numbers(cost), numbers(output)}
					for _, p := range u.Params {
						grad, err := p.Grad()
						if err != nil {
							t.Fatal(err)
						}
						results = append(results, numbers(grad))
						grad.(*tensor.Dense).Zero()
					}
					vm.Reset()
					return results
				}
				own := run()
				before := u.state()

				params, err := u.LearnableParams()
				if err != nil {
					t.Fatal(err)
				}
				base, err := NewBase(u, params, u.batch, nil)
				if err != nil {
					t.Fatal(err)
				}
				u.mustBeAs(t, "after the rebuild", before)
				for _, err := range []error{base.Feed(u.batch), base.Run()} {
					if err != nil {
						t.Fatal(err)
					}
				}
				if d := apart(own[0], []float64{base.LossValue()}); d > tolerance {
					t.Errorf("loss %v, the user's is %v", base.LossValue(), own[0])
				}
				grads, err := base.Grads()
				if err != nil {
					t.Fatal(err)
				}
				for i, g := range grads {
					if d := apart(own[2+i], numbers(g)); d > tolerance {
						t.Errorf("gradient of %s: relative difference %.2g", params[i].Name, d)
					}
				}
				if d := apart(own[1], u.rebuiltOutput(t, params)); d > tolerance {
					t.Errorf("output: relative difference %.2g", d)
				}
				u.mustBeAs(t, "after runs of the rebuilt graphs", before)
				for i, again := range run() {
					if !slices.Equal(again, own[i]) {
						t.Errorf("the user's machine gives other results afterwards: array %d is %v, was %v", i, again, own[i])
					}
				}
			})
		}
	}
}

// TestRebuiltConvolutionsMetaGradients checks ∂Q/∂φ by central differences, with
// B' another batch than B, and that Q leaves the user's state alone.
func TestRebuiltConvolutionsMetaGradients(t *testing.T) {
	for name, c := range stockConvs {
		rng := rand.New(rand.NewPCG(42, 1))
		u := c.build(t, rng, tensor.Float64)
		tilde := []*tensor.Dense{random(rng, 1, u.batch.X[0].Shape()...)}
		params, err := u.LearnableParams()
		if err != nil {
			t.Fatal(err)
		}
		blocks, err := u.Blocks(params)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range map[int][2]int{0: {3, 12}, 4: {4, 12}} {
			if b := blocks[i]; b.Form != Kronecker || b.Rows != want[0] || b.Cols != want[1] {
				t.Fatalf("block of a filter: %+v", b)
			}
		}
		for i := range blocks {
			if i != 0 && i != 4 {
				blocks[i].Form = Scalar // fewer numbers to differentiate by
			}
		}
		group := make([]int, len(params))
		for i := range group {
			group[i] = i % 2
		}
		before := u.state()
		looks := map[string]Lookahead{"rate": RateLookahead{Group: group}}
		if name == "dilated" { // one net is enough for the many numbers of this form
			looks["precond"] = PrecondLookahead{blocks}
		}
		for form, look := range looks {
			t.Run(name+" "+form, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(42, 2))
				p, err := NewProximal(ProximalConfig{Source: u, Params: params, Lookahead: look, Batch: u.batch, Tilde: tilde})
				if err != nil {
					t.Fatal(err)
				}
				phi, inputs := arraysFor(rng, look, params)
				eval := func() float64 {
					for _, err := range []error{p.Feed(u.batch, tilde), p.FeedWeights(0.5, 0.2), p.FeedStep(phi, inputs, 1), p.Run()} {
						if err != nil {
							t.Fatal(err)
						}
					}
					return p.Terms().Q
				}
				eval()
				if terms := p.Terms(); !(terms.FSD > 1e-3) {
					t.Fatalf("%+v: the discrepancy is of no size", terms)
				}
				grad := make([]*tensor.Dense, len(phi))
				for i := range phi {
					grad[i] = phi[i].Clone().(*tensor.Dense)
				}
				if err := p.Gradient(grad); err != nil {
					t.Fatal(err)
				}
				for i, d := range grad {
					grad[i] = d.Clone().(*tensor.Dense)
				}
				checkGradient(t, phi, grad, eval)
				u.mustBeAs(t, "after meta-steps", before)
			})
		}
	}
}

// TestSharedOpsAreWrong shows why pooling and batch norm are replaced: a second
// application of the same op changes the gradient of the first.
func TestSharedOpsAreWrong(t *testing.T) {
	for name, build := range map[string]func(x *gorgonia.Node) *gorgonia.Node{
		"max pooling": func(x *gorgonia.Node) *gorgonia.Node {
			return gorgonia.Must(gorgonia.MaxPool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
		},
		"batch norm": func(x *gorgonia.Node) *gorgonia.Node {
			_, _, _, op, err := gorgonia.BatchNorm(x, nil, nil, 0.9, 1e-5)
			if err != nil {
				t.Fatal(err)
			}
			return gorgonia.Must(gorgonia.ApplyOp(op, x)) // the same node, without scale and bias
		},
	} {
		// The gradient of Σ f(w∘x)³ by w, alone and beside a second application.
		gradient := func(apply func(y, x *gorgonia.Node) *gorgonia.Node) []float64 {
			rng := rand.New(rand.NewPCG(43, 1))
			g := gorgonia.NewGraph()
			input := func(name string) *gorgonia.Node {
				return gorgonia.NewTensor(g, tensor.Float64, 4, gorgonia.WithName(name), gorgonia.WithShape(2, 2, 4, 4), gorgonia.WithValue(random(rng, 1, 2, 2, 4, 4)))
			}
			must := gorgonia.Must
			w, v, x := input("w"), input("v"), input("x")
			y := build(must(gorgonia.HadamardProd(w, x)))
			cost := must(gorgonia.Sum(must(gorgonia.Cube(y))))
			if second := apply(y, must(gorgonia.HadamardProd(v, x))); second != nil {
				cost = must(gorgonia.Add(cost, must(gorgonia.Sum(must(gorgonia.Cube(second))))))
			}
			grads, err := gorgonia.Grad(cost, w)
			if err != nil {
				t.Fatal(err)
			}
			vm := gorgonia.NewTapeMachine(g)
			defer vm.Close()
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			return numbers(grads[0].Value())
		}
		alone := gradient(func(_, _ *gorgonia.Node) *gorgonia.Node { return nil })
		shared := gradient(func(y, x *gorgonia.Node) *gorgonia.Node { return gorgonia.Must(gorgonia.ApplyOp(y.Op(), x)) })
		again := gradient(func(y, x *gorgonia.Node) *gorgonia.Node {
			n, err := applyAgain(y, gorgonia.Nodes{x}, &Pass{})
			if err != nil {
				t.Fatal(err)
			}
			return n
		})
		if d := apart(alone, again); d > 1e-13 {
			t.Errorf("%s: the replaced op changes the first one's gradient by %.2g", name, d)
		}
		if d := apart(alone, shared); d < 0.01 {
			t.Errorf("%s: sharing the op changes the gradient by no more than %.2g: it could be shared now", name, d)
		}
	}
}

// TestTraceNamesTheUsersNode has values overflow in one layer after the other.
func TestTraceNamesTheUsersNode(t *testing.T) {
	for leaf, want := range map[string]string{
		"":            "",
		"x":           "the output of A × Bᵀ (node 6, shape (120, 3)) with x and filter0",
		"filter0":     "with x and filter0",
		"norm0/scale": "with norm0/scale",
		"filter1":     "with filter1",
		"norm1/scale": "with norm1/scale",
		"weight":      "with weight",
		"norm2/scale": "with norm2/scale",
		"y":           "with y",
	} {
		u := stockConvs["strided"].build(t, rand.New(rand.NewPCG(44, 1)), tensor.Float32)
		params, err := u.LearnableParams()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range append(append(u.Inputs, u.Targets...), u.Params...) {
			if n.Name() == leaf {
				for i, v := range n.Value().(*tensor.Dense).Float32s() {
					n.Value().(*tensor.Dense).Float32s()[i] = float32(math.Copysign(math.MaxFloat32, float64(v)))
				}
			}
		}
		got, err := Trace(u, params, u.batch, nil)
		if err != nil || !strings.HasSuffix(got, want) || (want == "") != (got == "") {
			t.Errorf("overflow by %q: %q, %v; want %q", leaf, got, err, want)
		}
	}
}
