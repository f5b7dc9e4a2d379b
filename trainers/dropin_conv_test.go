package trainers

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// convLoop is the training loop of a user whose net is of Gorgonia's own Conv2d,
// BatchNorm and MaxPool2D: images of 8×8 with a bar in one of four places.
type convLoop struct {
	problem graph.Problem
	x, y    *gorgonia.Node
	norms   []*gorgonia.BatchNormOp
	vm      gorgonia.VM
	rng     *rand.Rand
}

const convRows, convClasses = 16, 4

// stockPool is Gorgonia's pooling, which ends the program where a window is all
// NaN.
func stockPool(x *gorgonia.Node) (*gorgonia.Node, error) {
	return gorgonia.MaxPool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2})
}

func newConvLoop(t testing.TB, pool func(x *gorgonia.Node) (*gorgonia.Node, error)) *convLoop {
	t.Helper()
	g := gorgonia.NewGraph()
	u := &convLoop{rng: rand.New(rand.NewPCG(51, 1))}
	param := func(name string, scale float64, shape ...int) *gorgonia.Node {
		v := make([]float32, tensor.Shape(shape).TotalSize())
		for i := range v {
			v[i] = float32(scale * u.rng.NormFloat64())
		}
		if strings.HasSuffix(name, "scale") {
			array.Fill(v, 1)
		}
		n := gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...),
			gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))))
		u.problem.Params = append(u.problem.Params, n)
		return n
	}
	must := gorgonia.Must
	block := func(x *gorgonia.Node, name string, channels int) *gorgonia.Node {
		filter := param(name+"/filter", 0.4, channels, x.Shape()[1], 3, 3)
		u.problem.Filters = append(u.problem.Filters, filter)
		x = must(gorgonia.Conv2d(x, filter, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
		x, _, _, op, err := gorgonia.BatchNorm(x, param(name+"/scale", 0, 1, channels, 1, 1), param(name+"/shift", 0, 1, channels, 1, 1), 0.1, 1e-5)
		if err != nil {
			t.Fatal(err)
		}
		u.norms = append(u.norms, op)
		return must(pool(must(gorgonia.Rectify(x))))
	}
	u.x = gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithName("x"), gorgonia.WithShape(convRows, 1, 8, 8))
	u.y = gorgonia.NewVector(g, tensor.Int, gorgonia.WithName("y"), gorgonia.WithShape(convRows))
	h := block(block(u.x, "conv0", 3), "conv1", 4)
	h = must(gorgonia.Reshape(h, tensor.Shape{convRows, 16}))
	h = must(gorgonia.Mul(h, param("weight", 0.2, 16, convClasses)))
	h = must(gorgonia.BroadcastAdd(h, param("bias", 0, 1, convClasses), nil, []byte{0}))
	u.problem.Cost, u.problem.Output = must(apoops.SoftmaxCrossEntropy(h, u.y)), h
	u.problem.Inputs, u.problem.Targets = gorgonia.Nodes{u.x}, gorgonia.Nodes{u.y}
	u.problem.Sample = graph.CategoricalTargets
	return u
}

// wrap makes the solver and then the user's machine.
func (u *convLoop) wrap(t testing.TB, o Optimizer, opts ...Option) *Solver {
	t.Helper()
	if _, err := gorgonia.Grad(u.problem.Cost, u.problem.Params...); err != nil {
		t.Fatal(err)
	}
	solver, err := Wrap(u.problem, o, append([]Option{FSD(0.3, graph.CategoricalKL)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	u.vm = gorgonia.NewTapeMachine(u.problem.Cost.Graph(), gorgonia.BindDualValues(u.problem.Params...))
	return solver
}

// feed binds the next mini-batch.
func (u *convLoop) feed(t testing.TB) {
	t.Helper()
	x, y := make([]float32, convRows*64), make([]int, convRows)
	for i := range x {
		x[i] = float32(0.5 * u.rng.NormFloat64())
	}
	for i := range y {
		y[i] = u.rng.IntN(convClasses)
		for j := range 8 {
			if y[i] < 2 {
				x[i*64+8*j+2+3*y[i]] += 1.5 // a column
			} else {
				x[i*64+8*(2+3*(y[i]-2))+j] += 1.5 // a row
			}
		}
	}
	for _, err := range []error{
		gorgonia.Let(u.x, tensor.New(tensor.WithShape(u.x.Shape()...), tensor.WithBacking(x))),
		gorgonia.Let(u.y, tensor.New(tensor.WithShape(convRows), tensor.WithBacking(y))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// train takes steps and returns the losses.
func (u *convLoop) train(t testing.TB, solver *Solver, steps int) []float64 {
	t.Helper()
	losses := make([]float64, steps)
	for i := range losses {
		u.feed(t)
		for _, err := range []error{u.vm.RunAll(), solver.Step(gorgonia.NodesToValueGrads(u.problem.Params))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		u.vm.Reset()
		losses[i] = solver.Last().Loss
	}
	return losses
}

// everything is the user's parameters and running statistics.
func (u *convLoop) everything() []*tensor.Dense {
	var all []*tensor.Dense
	for _, p := range u.problem.Params {
		all = append(all, p.Value().(*tensor.Dense))
	}
	for _, op := range u.norms {
		mean, variance := op.Stats()
		all = append(all, mean.(*tensor.Dense), variance.(*tensor.Dense))
	}
	return all
}

// TestConvolutionsTrainWithTheSolver trains the net with APO on rates that start
// too low, with APO-Precond and with rules that see filters as matrices.
func TestConvolutionsTrainWithTheSolver(t *testing.T) {
	mean := func(x []float64) (sum float64) {
		for _, v := range x {
			sum += v / float64(len(x))
		}
		return sum
	}
	for name, c := range map[string]struct {
		o    Optimizer
		opts []Option
		rise float64 // of the rate, at least
	}{
		"SGDm":    {SGDm(3e-3), []Option{EveryK(2)}, 2},
		"Adam":    {Adam(1e-3), []Option{EveryK(2)}, 2},
		"precond": {Precond(0.1), []Option{EveryK(2)}, 0},
		"plain":   {PrecondPlain(0.1), []Option{EveryK(2)}, 0},
		"KFAC":    {KFAC(0.05), []Option{EveryK(2)}, 0},
		"Shampoo": {Shampoo(0.05), []Option{EveryK(2)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			u := newConvLoop(t, stockPool)
			solver := u.wrap(t, c.o, c.opts...)
			before := solver.Rates()
			losses := u.train(t, solver, 80)
			start, end := mean(losses[:10]), mean(losses[70:])
			if !(end < 0.5*start) {
				t.Errorf("loss %.3f at first, %.3f at last", start, end)
			}
			if c.rise > 0 && !(solver.Rates()[0] > c.rise*before[0]) {
				t.Errorf("rate %v at first, %v at last", before, solver.Rates())
			}
			t.Logf("loss %.3f, %.3f; rates %v; notes %q", start, end, solver.Rates(), solver.Notes())
		})
	}
}

// TestMetaStepsLeaveTheUsersNetAlone pins the rate, so that meta-steps change
// nothing they should: weights and running statistics are those of a loop without
// them, bit for bit.
func TestMetaStepsLeaveTheUsersNetAlone(t *testing.T) {
	const rate = 0.03
	plain, apo := newConvLoop(t, stockPool), newConvLoop(t, stockPool)
	losses := plain.train(t, plain.wrap(t, SGDm(rate), LinearRate(), EveryK(0)), 12)
	if again := apo.train(t, apo.wrap(t, SGDm(rate), LinearRate(), RateBounds(rate, rate), EveryK(1)), 12); !slices.Equal(losses, again) {
		t.Errorf("losses %v without meta-steps, %v with them", losses, again)
	}
	moved := apo.everything()
	for i, a := range plain.everything() {
		sameArray(t, "a value of the user's", a, moved[i])
	}
	if mean, _ := apo.norms[0].Stats(); mean.(*tensor.Dense).Float32s()[0] == 0 {
		t.Error("the running mean has not moved")
	}
}

// TestSolverNamesTheUsersLayer has values of a user's net overflow in one layer
// after the other: the error names the step and the layer's parameter, and
// nothing has moved.
func TestSolverNamesTheUsersLayer(t *testing.T) {
	for what, c := range map[string]struct {
		param string
		value float64
		want  string
	}{
		"NaN in a filter":         {"conv1/filter", math.NaN(), "in the parameter conv1/filter;"},
		"infinite scale":          {"conv0/scale", math.Inf(1), "in the parameter conv0/scale;"},
		"overflow of a filter":    {"conv0/filter", math.MaxFloat32, "with x and conv0/filter;"},
		"overflow behind another": {"conv1/filter", math.MaxFloat32, "with conv1/filter;"},
		"overflow of a scale":     {"conv1/scale", math.MaxFloat32, "with conv1/scale;"},
		"overflow at the end":     {"weight", math.MaxFloat32, "with weight;"},
	} {
		u := newConvLoop(t, func(x *gorgonia.Node) (*gorgonia.Node, error) {
			return apoops.MaxPool2D(x, apoops.Pool{Kernel: [2]int{2, 2}})
		})
		solver := u.wrap(t, SGDm(0.01))
		u.train(t, solver, 3)
		for _, p := range u.problem.Params {
			if p.Name() == c.param {
				array.Fill(p.Value().(*tensor.Dense).Float32s(), float32(c.value))
			}
		}
		var before []*tensor.Dense
		for _, a := range u.everything()[:len(u.problem.Params)] {
			before = append(before, a.Clone().(*tensor.Dense))
		}
		u.feed(t)
		if err := u.vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		wantError(t, what, solver.Step(gorgonia.NodesToValueGrads(u.problem.Params)), "trainers: step 3: ", c.want, "; the weights are as before the step")
		for i, a := range before {
			sameArray(t, what, u.everything()[i], a)
		}
	}
}
