package trainers

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// firstStep is the step of SGD at the rate 1 with some options: minus the gradient as it
// is clipped.
func firstStep(t *testing.T, opts ...Option) []float64 {
	t.Helper()
	data := toyData(t, tensor.Float64)
	tr, err := New(layers.MLP(4, 6, 3), graph.SoftmaxCrossEntropy, SGD(1), append([]Option{Dtype(tensor.Float64), EveryK(0)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	before := weightsOf(tr)
	if _, err := tr.Step(rowsOf(data, 0, 12)); err != nil {
		t.Fatal(err)
	}
	step := weightsOf(tr)
	for i := range step {
		step[i] -= before[i]
	}
	return step
}

func normOf(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

// TestClip compares clipped gradients with their definitions.
func TestClip(t *testing.T) {
	g := firstStep(t)
	norm := normOf(g)
	clamped := func(c float64) []float64 {
		x := slices.Clone(g)
		for i, v := range x {
			x[i] = min(max(v, -c), c)
		}
		return x
	}
	shortened := func(x []float64, c float64) []float64 {
		x = slices.Clone(x)
		if n := normOf(x); n > c {
			for i := range x {
				x[i] *= c / n
			}
		}
		return x
	}
	for _, c := range []struct {
		name string
		opts []Option
		want []float64
	}{
		{"norm", []Option{ClipNorm(norm / 3)}, shortened(g, norm/3)},
		{"norm, shorter", []Option{ClipNorm(norm * 3)}, g},
		{"value", []Option{ClipValue(norm / 10)}, clamped(norm / 10)},
		{"both", []Option{ClipNorm(norm / 3), ClipValue(norm / 10)}, shortened(clamped(norm/10), norm/3)},
		{"norm, in parts", []Option{ClipNorm(norm / 3), Accumulate(3)}, shortened(g, norm/3)},
	} {
		if got := firstStep(t, c.opts...); distance(got, c.want) > 1e-12 {
			t.Errorf("%s: off by %.1e", c.name, distance(got, c.want))
		}
	}
	if normOf(clamped(norm/10)) > 0.9*norm {
		t.Error("the limit of the values is too large for a test")
	}
}

// TestClipHuge clips gradients whose squares overflow.
func TestClipHuge(t *testing.T) {
	g := denseOf([]float64{3e200, -4e200}, 2)
	norm, err := clipping{norm: 10}.apply([]*tensor.Dense{g}, math.Inf(1))
	if x := apoops.Elements[float64](g); err != nil || norm != 10 || math.Abs(x[0]-6) > 1e-9 || math.Abs(x[1]+8) > 1e-9 {
		t.Errorf("%v, norm %v, %v", x, norm, err)
	}
}

// TestClipNothing: limits that no gradient reaches change nothing, for any rule: those that
// take rows of a batch or bits take the gradient.
func TestClipNothing(t *testing.T) {
	for name := range everyOptimizer() {
		p := toyTask(t)
		p.steps = 6
		want, got := p.run(t, everyOptimizer()[name]), p.run(t, everyOptimizer()[name], ClipNorm(1e9), ClipValue(1e9))
		if d := distance(got, want); !(d <= 1e-9) {
			t.Errorf("%s: off by %.1e", name, d)
		}
	}
}

// TestClipResumes: a clipped run with learned rates goes on to the same bits, and a limit is a
// setting that Load compares.
func TestClipResumes(t *testing.T) {
	p, path := toyTask(t), t.TempDir()+"/run"
	p.steps = 10
	opts := []Option{Dtype(tensor.Float64), Seed(3), EveryK(2), ClipNorm(0.1)}
	want := p.run(t, Adam(0.01), ClipNorm(0.1))
	make := func(opts ...Option) *Trainer {
		tr, err := New(p.model, p.loss, Adam(0.01), opts...)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	tr := make(opts...)
	for range 2 {
		for range 5 {
			if _, err := tr.Step(p.batch(tr.Steps())); err != nil {
				t.Fatal(err)
			}
		}
		if err := tr.Save(path); err != nil {
			t.Fatal(err)
		}
		tr = make(opts...)
		if err := tr.Load(path); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(weightsOf(tr), want) {
		t.Error("the run that was stopped has other bits")
	}
	if err := make(opts[:3]...).Load(path); err == nil || !strings.Contains(err.Error(), "ClipNorm") {
		t.Errorf("without the limit: %v", err)
	}
}

// hugeBatch makes the loss of toy nets not finite.
func hugeBatch(t *testing.T) graph.Batch {
	b := rowsOf(toyData(t, tensor.Float64), 0, 12)
	for i := range apoops.Elements[float64](b.X[0]) {
		apoops.Elements[float64](b.X[0])[i] = math.MaxFloat64
	}
	return b
}

// TestSkipNonFinite: a run over bad mini-batches takes the steps of the run without them, to
// the bit, also where it is stopped among them.
func TestSkipNonFinite(t *testing.T) {
	data, path := toyData(t, tensor.Float64), t.TempDir()+"/run"
	opts := []Option{Dtype(tensor.Float64), Seed(3), EveryK(2), FSDFraction(1), SkipNonFinite(2)}
	make := func() *Trainer {
		tr, err := New(layers.MLP(4, 6, 3), graph.SoftmaxCrossEntropy, Adam(0.01), opts...)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	good, bad := make(), make()
	step := func(tr *Trainer, b graph.Batch, skipped bool) {
		t.Helper()
		if s, err := tr.Step(b); err != nil || s.StepSkipped != skipped || !s.SkipsNonFinite {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	for i := range 6 {
		step(good, rowsOf(data, 7*i, 12), false)
		step(bad, rowsOf(data, 7*i, 12), false)
		if i%2 == 0 {
			step(bad, hugeBatch(t), true)
		}
		if i == 2 {
			if err := bad.Save(path); err != nil {
				t.Fatal(err)
			}
			if v := versionOf(t, path); v != leftVersion {
				t.Errorf("version %d: programs without SkipNonFinite would count steps that were skipped", v)
			}
			bad = make()
			if err := bad.Load(path); err != nil {
				t.Fatal(err)
			}
			step(bad, hugeBatch(t), true) // the second in a row
			before := weightsOf(bad)
			if _, err := bad.Step(hugeBatch(t)); !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), "after 2 steps in a row") {
				t.Errorf("the third in a row: %v", err)
			}
			if !slices.Equal(weightsOf(bad), before) {
				t.Error("the error moved something")
			}
		}
	}
	if !slices.Equal(weightsOf(good), weightsOf(bad)) {
		t.Errorf("off by %.1e", distance(weightsOf(bad), weightsOf(good)))
	}
	if err := good.Save(path); err != nil {
		t.Fatal(err)
	}
	if v := versionOf(t, path); v != firstVersion {
		t.Errorf("version %d of a checkpoint without skipped steps", v)
	}
	if bad.SkippedSteps() != 4 || bad.Steps() != 10 || good.SkippedSteps() != 0 {
		t.Errorf("%d of %d steps skipped", bad.SkippedSteps(), bad.Steps())
	}
}

// versionOf is the version of a checkpoint's document.
func versionOf(t *testing.T, path string) int {
	t.Helper()
	s, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := readMeta(s.Meta)
	if err != nil {
		t.Fatal(err)
	}
	return doc.Version
}

// TestSkippedStepsHaveRates: what is recorded of a step that was left out are the rates that it
// would have had, with the schedule of a group, which counts it.
func TestSkippedStepsHaveRates(t *testing.T) {
	o := Groups(SGD(0.1), Group{Params: []string{"*"}, Schedule: StepDecay(0.5, 1, 2, 3, 4, 5, 6)})
	tr, err := New(layers.MLP(4, 6, 3), graph.SoftmaxCrossEntropy, o, Dtype(tensor.Float64), EveryK(0), SkipNonFinite(2))
	if err != nil {
		t.Fatal(err)
	}
	good, taken := rowsOf(toyData(t, tensor.Float64), 0, 12), 0
	for i, b := range []graph.Batch{hugeBatch(t), good, hugeBatch(t), hugeBatch(t), good, hugeBatch(t), good} {
		s, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		if want := 0.1 * math.Pow(0.5, float64(i)); len(s.Rates) != 1 || math.Abs(s.Rates[0]-want) > 1e-15 {
			t.Errorf("step %d (skipped: %v): rates %v, want %v", i, s.StepSkipped, s.Rates, want)
		}
		if !s.StepSkipped {
			taken++
		}
	}
	if taken != 3 {
		t.Errorf("%d steps were taken", taken)
	}
}

// TestGradientOptionsRefused has numbers that are none.
func TestGradientOptionsRefused(t *testing.T) {
	for want, o := range map[string]Option{
		"ClipNorm(0)": ClipNorm(0), "ClipNorm(-1)": ClipNorm(-1), "ClipNorm(NaN)": ClipNorm(math.NaN()), "ClipValue(+Inf)": ClipValue(math.Inf(1)),
		"SkipNonFinite(0)": SkipNonFinite(0),
	} {
		if _, err := New(layers.MLP(4, 6, 3), graph.SoftmaxCrossEntropy, SGD(0.1), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestWrapClipsAndSkips does both on a graph of the user's: J = Σw·x, whose gradient is x.
func TestWrapClipsAndSkips(t *testing.T) {
	g := gorgonia.NewGraph()
	w := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(2), gorgonia.WithName("w"), gorgonia.WithValue(denseOf([]float64{0, 0}, 2)))
	x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(2), gorgonia.WithName("x"))
	cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(w, x))))
	if _, err := gorgonia.Grad(cost, w); err != nil {
		t.Fatal(err)
	}
	solver, err := Wrap(graph.Problem{Cost: cost, Params: gorgonia.Nodes{w}}, SGD(1), EveryK(0), ClipNorm(1), SkipNonFinite(1))
	if err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	defer vm.Close()
	for _, in := range [][]float64{{3, 4}, {math.Inf(1), 0}, {0.3, 0.4}} {
		if err := gorgonia.Let(x, denseOf(in, 2)); err != nil {
			t.Fatal(err)
		}
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(gorgonia.Nodes{w})); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
	}
	if got := apoops.Elements[float64](w.Value().(*tensor.Dense)); distance(got, []float64{-0.9, -1.2}) > 1e-15 || solver.SkippedSteps() != 1 {
		t.Errorf("%v, %d steps skipped", got, solver.SkippedSteps())
	}
}
