package graph_test

import (
	"fmt"
	"log"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// column is an n×1 array.
func column(values ...float64) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(values), 1), tensor.WithBacking(values))
}

// line is the model y = w·x + b at w = 1, b = 0, with a batch of two examples.
func line() (src graph.Objective, params []*graph.Param, batch graph.Batch) {
	src = graph.Objective{Model: layers.MLP(1, 1), Loss: graph.SquaredError}
	params, err := src.Model.Init(1, tensor.Float64)
	check(err)
	copy(params[0].Value.Float64s(), []float64{1, 0}) // the bias is the last row
	return src, params, graph.NewBatch(column(1, 2), column(3, 5))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Output and loss of y = x, where the targets are 3 and 5: ½·(2² + 3²)/2.
func ExampleNewEvaluation() {
	src, params, batch := line()
	e, err := graph.NewEvaluation(src, params, batch)
	check(err)
	check(e.Feed(batch))
	check(e.Run())
	y, _ := e.Output()
	fmt.Println(y.Data(), e.LossValue())
	// Output: [1 2] 3.25
}

// The output of a model and its sigmoid. Run takes what is in x then.
func ExampleNewForward() {
	src, params, _ := line()
	x := column(0)
	f, err := graph.NewForward(params, []*tensor.Dense{x}, func(p *graph.Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
		y, err := src.Model.Output(p, x, theta)
		if err != nil {
			return nil, err
		}
		probability, err := apoops.Sigmoid(y)
		return gorgonia.Nodes{y, probability}, err
	})
	check(err)
	for _, v := range []float64{0, 3} {
		x.Float64s()[0] = v
		check(f.Run())
		fmt.Printf("%.3f %.3f\n", f.Result(0).Float64s(), f.Result(1).Float64s())
	}
	// Output:
	// [0.000] [0.500]
	// [3.000] [0.953]
}

// The same model in float32, and with a graph that keeps its arrays in bfloat16.
func ExampleNewForwardIn() {
	model := layers.MLP(1, 1)
	params, err := model.Init(1, tensor.Float32)
	check(err)
	copy(params[0].Value.Float32s(), []float32{1, 0})
	x := []*tensor.Dense{tensor.New(tensor.WithShape(1, 1), tensor.WithBacking([]float32{1.01}))}
	for _, s := range []graph.Storage{{}, {Format: apoops.BFloat16, Low: true}} {
		f, err := graph.NewForwardIn(s, params, x, func(p *graph.Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
			y, err := model.Output(p, x, theta)
			return gorgonia.Nodes{y}, err
		})
		check(err)
		check(f.Run())
		fmt.Printf("%.4f\n", f.Result(0).Float32s())
	}
	// Output:
	// [1.0100]
	// [1.0078]
}

// Q and ∂Q/∂η of a step of gradient descent from y = x, with λ_FSD = 1, λ_WSD = ½ and
// B' = B. The gradient is (-4, -2.5), so at η = 0.1 the model becomes y = 1.4x + 0.25.
func ExampleNewProximal() {
	src, params, batch := line()
	p, err := graph.NewProximal(graph.ProximalConfig{
		Source: src, Params: params, Batch: batch, Tilde: batch.X,
		Lookahead: graph.RateLookahead{Group: []int{0}, Linear: true}, // φ = η
	})
	check(err)
	eta := tensor.New(tensor.WithShape(1), tensor.WithBacking([]float64{0.1}))
	g := column(-4, -2.5)
	check(p.Feed(batch, batch.X))
	check(p.FeedWeights(1, 0.5))
	check(p.FeedStep([]*tensor.Dense{eta}, []*tensor.Dense{g}, 1))
	check(p.Run())
	t := p.Terms()
	fmt.Printf("Q %.5f = %.5f + %.5f + ½·%.5f\n", t.Q, t.Loss, t.FSD, t.WSD)

	d := []*tensor.Dense{tensor.New(tensor.WithShape(1), tensor.Of(tensor.Float64))}
	check(p.Gradient(d))
	fmt.Printf("∂Q/∂η %.4f\n", d[0].Float64s()[0])
	// Output:
	// Q 1.84313 = 1.40625 + 0.38125 + ½·0.11125
	// ∂Q/∂η -5.8875
}

// The Kronecker factors of the empirical Fisher matrix: the second moments of the inputs
// (x, 1), and of the gradients by the outputs, 2 and 3.
func ExampleNewCurvature() {
	src, params, batch := line()
	k, err := graph.NewCurvature(graph.CurvatureConfig{Source: src, Params: params, Blocks: graph.BlockPerParam(params), Batch: batch})
	check(err)
	check(k.Feed(batch))
	check(k.RunFor(true, false))
	a, g, err := k.Moments(0)
	check(err)
	fmt.Println(a.Data(), g.Data())
	// Output: [2.5 1.5 1.5 1] [6.5]
}

// The rows that APO-Precond learns from: the inputs (x, 1) of a layer, and random gradients
// by its outputs. For squared errors these are 1 or -1.
func ExampleNewProbe() {
	src, params, batch := line()
	c := graph.ProbeConfig{Source: src, Params: params, Blocks: graph.BlockPerParam(params), Batch: batch, Noise: apoops.NewRandom(1)}
	rows, err := graph.ProbeRows(c)
	check(err)
	fmt.Println(graph.HasProbe(src), rows)
	p, err := graph.NewProbe(c)
	check(err)
	check(p.Feed(batch))
	check(p.Run())
	x, z, err := p.Rows(0)
	check(err)
	fmt.Println(x.Data(), math.Abs(z.Float64s()[0]), math.Abs(z.Float64s()[1]))
	// Output:
	// true [true]
	// [1 1 2 1] 1 1
}

// A graph of Gorgonia's ops, cost (w - 3)², whose gradient is computed without its machine.
func ExampleNewStandalone() {
	g, must := gorgonia.NewGraph(), gorgonia.Must
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(1, 1), gorgonia.WithName("x"))
	t := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(1, 1), gorgonia.WithName("t"))
	w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(1, 1), gorgonia.WithName("w"), gorgonia.WithValue(column(1)))
	y := must(gorgonia.Mul(x, w))
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(y, t))))))

	s, err := graph.NewStandalone(&graph.Problem{Cost: cost, Output: y, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{t}, Params: gorgonia.Nodes{w}})
	check(err)
	params, err := s.AllParams()
	check(err)
	batch := graph.NewBatch(column(1), column(3))
	base, err := graph.NewBase(s, params, batch, nil)
	check(err)
	check(base.Feed(batch))
	check(base.Run())
	grads, err := base.Grads()
	check(err)
	fmt.Println(params[0].Name, base.LossValue(), grads[0].Data())
	// Output: w 4 [-4]
}

// The weights are finite, and the product of the second layer is not.
func ExampleTrace() {
	src := graph.Objective{Model: layers.DeepLinear(1, 1, 1), Loss: graph.SquaredError}
	params, err := src.Model.Init(1, tensor.Float64)
	check(err)
	params[0].Value.Float64s()[0], params[1].Value.Float64s()[0] = 10, math.MaxFloat64
	where, err := graph.Trace(src, params, graph.NewBatch(column(1), column(1)), nil)
	check(err)
	fmt.Println(graph.Finite(params[1].Value), where)
	// Output: true the output of dense1
}

// The gradient of a layer, x = (1, 2) with a bias and gradients (3, 4) by its outputs, from
// its rows.
func ExampleFormGradient() {
	g := make([]float64, 2)
	graph.FormGradient(g, graph.Rows{A: column(1, 2), S: column(3, 4), Bias: true})
	fmt.Println(g)
	// Output: [11 7]
}

// Two numbers of bfloat16 that were multiplied by 8.
func ExampleExpand() {
	p := graph.Packed{Format: apoops.BFloat16, Scale: 8}
	for _, x := range []float64{8, 20} {
		p.Bits = append(p.Bits, apoops.ToBits(apoops.BFloat16, x))
	}
	x := make([]float32, 2)
	graph.Expand(x, p, 0)
	fmt.Println(x)
	// Output: [1 2.5]
}
