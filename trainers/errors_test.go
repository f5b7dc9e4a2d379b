package trainers

import (
	"math"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// TestErrorsHaveTheirKind makes an error of each kind by what a user may do.
func TestErrorsHaveTheirKind(t *testing.T) {
	float := func(dt tensor.Dtype, shape ...int) *tensor.Dense {
		return tensor.New(tensor.WithShape(shape...), tensor.Of(dt))
	}
	labels := tensor.New(tensor.WithShape(12), tensor.Of(tensor.Int))
	nan, infinite := float(tensor.Float32, 12, 4), float(tensor.Float32, 12, 4)
	nan.Float32s()[7] = float32(math.NaN())
	for i := range infinite.Float32s() {
		infinite.Float32s()[i] = float32(math.Inf(1))
	}
	for what, c := range map[string]struct {
		b    graph.Batch
		want error
	}{
		"other batch size": {graph.NewBatch(float(tensor.Float32, 11, 4), labels), ErrShape},
		"no rows":          {graph.NewBatch(float(tensor.Float32), labels), ErrShape},
		"other dtype":      {graph.NewBatch(float(tensor.Float64, 12, 4), labels), ErrDtype},
		"NaN input":        {graph.NewBatch(nan, labels), ErrNotFinite},
		"infinite input":   {graph.NewBatch(infinite, labels), ErrNotFinite},
	} {
		tr := toyTrainer(t, SGD(0.05), EveryK(2))
		run(t, tr, 0, 1)
		_, err := tr.Step(c.b)
		for _, kind := range []error{ErrNotFinite, ErrShape, ErrDtype, ErrNoSample} {
			if errors.Is(err, kind) != (kind == c.want) {
				t.Errorf("%s: %v is of kind %q: %v", what, err, kind, kind != c.want)
			}
		}
	}
}

// TestSolverCountsSteps takes steps with a Solver, of which one has no finite Q.
func TestSolverCountsSteps(t *testing.T) {
	u := newUserGraph(t, toyTrainer(t, SGD(0.1)), 12)
	wsd := func(step int) float64 {
		if step == 2 {
			return math.MaxFloat64
		}
		return 0
	}
	s, err := Wrap(u.problem, SGD(0.1), EveryK(2), FSD(1, graph.CategoricalKL), WSDSchedule(wsd))
	if err != nil {
		t.Fatal(err)
	}
	u.compile(t)
	data := toyData(t, tensor.Float32)
	for i := range 4 {
		b := rowsOf(data, 12*i, 12)
		for _, err := range []error{gorgonia.Let(u.x, b.X[0]), gorgonia.Let(u.y, b.T[0]), u.vm.RunAll(), s.Step(gorgonia.NodesToValueGrads(u.problem.Params))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		u.vm.Reset()
		if s.Steps() != i+1 || s.Skipped() != map[bool]int{false: 0, true: 1}[i >= 3] {
			t.Fatalf("after %d steps: %d steps, %d skipped", i+1, s.Steps(), s.Skipped())
		}
	}
}
