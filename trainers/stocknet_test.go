package trainers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// stockNet is a user's net of Gorgonia's own ops alone, with one-hot targets.
type stockNet struct {
	problem graph.Problem
	g       *gorgonia.ExprGraph
	dt      tensor.Dtype
	rng     *rand.Rand // of the weights
	x, y    *gorgonia.Node
	norms   []*gorgonia.BatchNormOp
	vm      gorgonia.VM
	loss    gorgonia.Value
}

// stockNets are built on batches of so many rows, with 10 classes.
var stockNets = map[string]func(s *stockNet, rows int){
	"mlp": func(s *stockNet, rows int) {
		s.inputs(rows, 12)
		h := s.affine(s.affine(s.x, 16, gorgonia.Rectify), 9, gorgonia.Tanh)
		s.classify(s.affine(h, 10, nil))
	},
	"lenet": func(s *stockNet, rows int) {
		s.inputs(rows, 3, 32, 32)
		s.lenet()
	},
	"batch norm": func(s *stockNet, rows int) {
		s.inputs(rows, 2, 6, 6)
		h := s.norm(s.conv(s.x, 4, 3, nil))
		h = must(gorgonia.Rectify(h))
		h = s.norm(s.affine(flatten(h), 8, nil))
		s.classify(s.affine(must(gorgonia.Sigmoid(h)), 10, nil))
	},
}

var must = gorgonia.Must

func newStockNet(dt tensor.Dtype, rows int, build func(s *stockNet, rows int)) *stockNet {
	s := &stockNet{g: gorgonia.NewGraph(), dt: dt, rng: rand.New(rand.NewPCG(81, 1))}
	build(s, rows)
	return s
}

// lenet is LeNet of x's images.
func (s *stockNet) lenet() {
	pool := func(h *gorgonia.Node) *gorgonia.Node {
		return must(gorgonia.MaxPool2D(h, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	}
	h := pool(s.conv(s.x, 6, 5, gorgonia.Rectify))
	h = pool(s.conv(h, 16, 5, gorgonia.Rectify))
	h = s.affine(s.affine(flatten(h), 120, gorgonia.Rectify), 84, gorgonia.Rectify)
	s.classify(s.affine(h, 10, nil))
}

func flatten(h *gorgonia.Node) *gorgonia.Node {
	rows := h.Shape()[0]
	return must(gorgonia.Reshape(h, tensor.Shape{rows, h.Shape().TotalSize() / rows}))
}

func (s *stockNet) inputs(rows int, shape ...int) {
	shape = append([]int{rows}, shape...)
	s.x = gorgonia.NewTensor(s.g, s.dt, len(shape), gorgonia.WithName("x"), gorgonia.WithShape(shape...))
	s.y = gorgonia.NewMatrix(s.g, s.dt, gorgonia.WithName("y"), gorgonia.WithShape(rows, 10))
	s.problem.Inputs, s.problem.Targets = gorgonia.Nodes{s.x}, gorgonia.Nodes{s.y}
}

// param draws weights for so many inputs; 0 leaves them at 0.
func (s *stockNet) param(kind string, inputs int, shape ...int) *gorgonia.Node {
	v := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range v {
		if inputs > 0 {
			v[i] = s.rng.NormFloat64() * math.Sqrt(2/float64(inputs))
		}
		if kind == "scale" {
			v[i] = 1
		}
	}
	name := fmt.Sprintf("%s%d", kind, len(s.problem.Params))
	n := gorgonia.NewTensor(s.g, s.dt, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(tensorOf(s.dt, v, shape...)))
	s.problem.Params = append(s.problem.Params, n)
	return n
}

func (s *stockNet) affine(x *gorgonia.Node, outputs int, act func(*gorgonia.Node) (*gorgonia.Node, error)) *gorgonia.Node {
	in := x.Shape()[1]
	w, b := s.param("weight", in, in, outputs), s.param("bias", 0, outputs)
	s.problem.Pairs = append(s.problem.Pairs, graph.Pair{Weight: w, Bias: b})
	h := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w)), b, nil, []byte{0}))
	if act != nil {
		h = must(act(h))
	}
	return h
}

func (s *stockNet) conv(x *gorgonia.Node, outputs, kernel int, act func(*gorgonia.Node) (*gorgonia.Node, error)) *gorgonia.Node {
	channels := x.Shape()[1]
	f := s.param("filter", channels*kernel*kernel, outputs, channels, kernel, kernel)
	s.problem.Filters = append(s.problem.Filters, f)
	h := must(gorgonia.Conv2d(x, f, tensor.Shape{kernel, kernel}, []int{0, 0}, []int{1, 1}, []int{1, 1}))
	h = must(gorgonia.BroadcastAdd(h, s.param("bias", 0, 1, outputs, 1, 1), nil, []byte{0, 2, 3}))
	if act != nil {
		h = must(act(h))
	}
	return h
}

func (s *stockNet) norm(x *gorgonia.Node) *gorgonia.Node {
	shape := []int{1, x.Shape()[1], 1, 1}[:x.Dims()]
	y, _, _, op, err := gorgonia.BatchNorm(x, s.param("scale", 0, shape...), s.param("shift", 0, shape...), 0.1, 1e-5)
	s.norms = append(s.norms, op)
	if err != nil {
		panic(err)
	}
	return y
}

// classify ends the net with the usual cross-entropy.
func (s *stockNet) classify(logits *gorgonia.Node) {
	log := must(gorgonia.Log(must(gorgonia.SoftMax(logits))))
	s.problem.Output = logits
	s.problem.Cost = must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.HadamardProd(log, s.y)), 1))))))
	s.problem.Divergence, s.problem.Sample = graph.CategoricalKL, nil
}

// batch is the mini-batch of a step: one class in ten is bright in one place, and the
// rest of the image is dark in places, where values are exactly 0.
func (s *stockNet) batch(step int) graph.Batch {
	return stockBatch(s.dt, step, s.x.Shape())
}

func stockBatch(dt tensor.Dtype, step int, shape tensor.Shape) graph.Batch {
	rng := rand.New(rand.NewPCG(82, uint64(step)))
	rows, cols := shape[0], shape.TotalSize()/shape[0]
	x, y := make([]float64, rows*cols), make([]float64, rows*10)
	for i := range rows {
		class := rng.IntN(10)
		y[i*10+class] = 1
		for j := range cols {
			if j%3 > 0 {
				x[i*cols+j] = 0.3 * rng.NormFloat64()
			}
		}
		for j := class * cols / 10; j < (class+1)*cols/10; j++ {
			x[i*cols+j] += 1
		}
	}
	return graph.NewBatch(tensorOf(dt, x, shape...), tensorOf(dt, y, rows, 10))
}

// machine makes the user's own machine.
func (s *stockNet) machine(t testing.TB) {
	t.Helper()
	if _, err := gorgonia.Grad(s.problem.Cost, s.problem.Params...); err != nil {
		t.Fatal(err)
	}
	gorgonia.Read(s.problem.Cost, &s.loss)
	s.vm = gorgonia.NewTapeMachine(s.g, gorgonia.BindDualValues(s.problem.Params...))
}

// feed binds a batch for the user's own machine.
func (s *stockNet) feed(t testing.TB, b graph.Batch) {
	t.Helper()
	for _, err := range []error{gorgonia.Let(s.x, b.X[0]), gorgonia.Let(s.y, b.T[0])} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// own takes a step of the user's own loop and returns the loss.
func (s *stockNet) own(t testing.TB, solver gorgonia.Solver, b graph.Batch) float64 {
	t.Helper()
	s.feed(t, b)
	for _, err := range []error{s.vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(s.problem.Params))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	loss, err := graph.ScalarValue(s.loss)
	if err != nil {
		t.Fatal(err)
	}
	s.vm.Reset()
	return loss
}

// far is the largest difference of the parameters, of all arrays and all elements.
func (s *stockNet) far(other *stockNet) (far float64) {
	for i, p := range s.problem.Params {
		a, b := numbers(p.Value().(*tensor.Dense)), numbers(other.problem.Params[i].Value().(*tensor.Dense))
		for j := range a {
			far = max(far, math.Abs(a[j]-b[j]))
		}
	}
	return far
}
