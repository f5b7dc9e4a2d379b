package graph

import (
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// opCase is one of Gorgonia's ops in a user's graph: build makes it of parameters
// of the given shapes.
type opCase struct {
	name     string
	shapes   [][]int
	positive bool // parameters from 0.5 to 2 instead of normal ones
	build    func(p gorgonia.Nodes) (*gorgonia.Node, error)
	// want is the op by plain loops on the elements of the parameters.
	want func(p [][]float64) []float64
	// note is a part of the note on values or gradients that differ from those of
	// the user's own machine, which is not asked then; "" where they are the same.
	note string
	// alone is for what Gorgonia's machine cannot run in this graph.
	alone bool
}

// TestOps rebuilds each op by which Gorgonia's own is wrong or has no gradient, and
// each that has state, and compares the rebuilt loss with plain loops and the user's
// own machine, and the gradients with central differences and those of the user's.
func TestOps(t *testing.T) {
	for _, c := range slices.Concat(broadcastCases(), rowCases(), sliceCases(), imageCases(), productCases()) {
		t.Run(c.name, c.run)
	}
}

// problem is Σ c∘y of the case's op with random numbers c.
func (c opCase) problem(t *testing.T, dt tensor.Dtype) (*Problem, Batch) {
	t.Helper()
	rng := rand.New(rand.NewPCG(51, 7))
	g := gorgonia.NewGraph()
	node := func(name string, v *tensor.Dense) *gorgonia.Node {
		if dt == tensor.Float32 {
			v = narrow(v)
		}
		return gorgonia.NewTensor(g, dt, v.Dims(), gorgonia.WithName(name), gorgonia.WithShape(v.Shape()...), gorgonia.WithValue(v))
	}
	q := &Problem{Divergence: HalfSquared}
	for i, shape := range c.shapes {
		v := random(rng, 1, shape...)
		if c.positive {
			for j, x := range v.Float64s() {
				v.Float64s()[j] = 0.5 + 1.5*math.Abs(math.Tanh(x))
			}
		}
		q.Params = append(q.Params, node("p"+string(rune('0'+i)), v))
	}
	y, err := c.build(q.Params)
	if err != nil {
		t.Fatalf("building: %v", err)
	}
	if y.IsScalar() {
		x := node("x", random(rng, 1, 1))
		q.Cost = gorgonia.Must(gorgonia.HadamardProd(y, gorgonia.Must(gorgonia.Sum(x))))
		q.Output = q.Cost
		q.Inputs = gorgonia.Nodes{x}
		return q, Batch{X: []*tensor.Dense{x.Value().(*tensor.Dense)}}
	}
	size := y.Shape().TotalSize()
	x := node("x", random(rng, 1, size))
	q.Output = gorgonia.Must(gorgonia.HadamardProd(gorgonia.Must(gorgonia.Reshape(y, tensor.Shape{size})), x))
	q.Cost = gorgonia.Must(gorgonia.Sum(q.Output))
	q.Inputs = gorgonia.Nodes{x}
	return q, Batch{X: []*tensor.Dense{x.Value().(*tensor.Dense)}}
}

// rebuilt are loss and gradients of the rebuilt pass, and its notes.
func rebuilt(t *testing.T, q *Problem, batch Batch) (run func() float64, grads func() [][]float64, notes string) {
	t.Helper()
	params, err := q.LearnableParams()
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBase(q, params, batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	run = func() float64 {
		for _, err := range []error{b.Feed(batch), b.Run()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return b.LossValue()
	}
	grads = func() (all [][]float64) {
		g, err := b.Grads()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range g {
			all = append(all, numbers(d))
		}
		return all
	}
	return run, grads, strings.Join(q.Notes(), "\n")
}

// own are loss and gradients of the user's own machine.
func own(t *testing.T, q *Problem) (loss float64, grads [][]float64) {
	t.Helper()
	log.SetOutput(io.Discard) // Gorgonia's GroupNorm logs
	defer log.SetOutput(os.Stderr)
	nodes, err := gorgonia.Grad(q.Cost, q.Params...)
	if err != nil {
		t.Fatalf("the user's gradient: %v", err)
	}
	var cost gorgonia.Value
	gorgonia.Read(q.Cost, &cost)
	vm := gorgonia.NewTapeMachine(q.Cost.Graph())
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatalf("the user's machine: %v", err)
	}
	for _, n := range nodes {
		grads = append(grads, numbers(n.Value()))
	}
	return scalar(cost), grads
}

func (c opCase) run(t *testing.T) {
	q, batch := c.problem(t, tensor.Float64)
	run, grads, notes := rebuilt(t, q, batch)
	loss, got := run(), grads()
	if c.want != nil {
		var p [][]float64
		for _, n := range q.Params {
			p = append(p, numbers(n.Value()))
		}
		var want float64
		for i, y := range c.want(p) {
			want += y * batch.X[0].Float64s()[i]
		}
		if !(math.Abs(loss-want) <= 1e-12*(1+math.Abs(want))) {
			t.Errorf("the rebuilt loss is %v, by plain loops %v", loss, want)
		}
	}
	for i, n := range q.Params {
		v := n.Value().(*tensor.Dense).Float64s()
		numeric := make([]float64, len(v))
		for j, x := range v {
			const h = 1e-5
			at := func(d float64) float64 { v[j] = x + d; return run() }
			numeric[j] = (at(h) - at(-h)) / (2 * h)
			v[j] = x
		}
		if d := apart(numeric, got[i]); !(d <= 1e-6) {
			t.Errorf("the gradient by %s is %.8v, by central differences %.8v", n.Name(), got[i], numeric)
		}
	}
	if !strings.Contains(notes, c.note) || (c.note == "") != (notes == "") {
		t.Errorf("notes %q, want %q", notes, c.note)
	}
	if c.note == "" && !c.alone {
		ownLoss, ownGrads := own(t, q)
		if !(math.Abs(loss-ownLoss) <= 1e-12*(1+math.Abs(loss))) {
			t.Errorf("the rebuilt loss is %v, the user's %v", loss, ownLoss)
		}
		for i := range ownGrads {
			if d := apart(got[i], ownGrads[i]); !(d <= 1e-12) {
				t.Errorf("the gradient by parameter %d is %v, the user's %v", i, got[i], ownGrads[i])
			}
		}
	}
	q32, batch32 := c.problem(t, tensor.Float32)
	run32, grads32, _ := rebuilt(t, q32, batch32)
	if l := run32(); !(math.Abs(l-loss) <= 1e-4*(1+math.Abs(loss))) {
		t.Errorf("the loss in float32 is %v, in float64 %v", l, loss)
	}
	for i, g := range grads32() {
		if d := apart(got[i], g); !(d <= 1e-4) {
			t.Errorf("the gradient by parameter %d is %v in float32, %v in float64", i, g, got[i])
		}
	}
}

// TestSoftmaxOfRowsFarApart has rows for which Gorgonia's own softmax is NaN, and
// masks of -Inf.
func TestSoftmaxOfRowsFarApart(t *testing.T) {
	for name, op := range map[string]func(*gorgonia.Node, ...int) (*gorgonia.Node, error){"softmax": gorgonia.SoftMax, "logSoftmax": gorgonia.LogSoftMax} {
		rows := []float64{1000, 1, 2, -1000, -1001, -1002, math.Inf(-1), 0, 0.5}
		if name == "logSoftmax" {
			rows[6] = -2000
		}
		c := opCase{shapes: [][]int{{3, 3}}, build: func(p gorgonia.Nodes) (*gorgonia.Node, error) { return op(p[0]) }}
		q, batch := c.problem(t, tensor.Float64)
		copy(q.Params[0].Value().(*tensor.Dense).Float64s(), rows)
		run, grads, _ := rebuilt(t, q, batch)
		var want float64
		for i, y := range alongAxis(rows, tensor.Shape{3, 3}, 1, softmax) {
			if name == "logSoftmax" {
				row := rows[i/3*3 : i/3*3+3]
				y = rows[i] - slices.Max(row) - math.Log(math.Exp(row[0]-slices.Max(row))+math.Exp(row[1]-slices.Max(row))+math.Exp(row[2]-slices.Max(row)))
			}
			want += y * batch.X[0].Float64s()[i]
		}
		if got := run(); !(math.Abs(got-want) <= 1e-12*(1+math.Abs(want))) {
			t.Errorf("%s: %v, by plain loops %v", name, got, want)
		}
		for _, g := range grads()[0] {
			if math.IsNaN(g) {
				t.Errorf("%s: the gradient is %v", name, grads()[0])
				break
			}
		}
		if loss, _ := own(t, q); !math.IsNaN(loss) {
			t.Logf("%s: Gorgonia's own machine computes %v here", name, loss)
		}
	}
}
