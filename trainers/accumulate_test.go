package trainers

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/curvature"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// inParts has mini-batches whose halves 4 divides: B' has the same rows with Accumulate.
func inParts(t *testing.T) parallelTask {
	p, data := toyTask(t), toyData(t, tensor.Float64)
	p.batch = func(step int) graph.Batch { return rowsOf(data, step*7%24, []int{16, 16, 8}[step%3]) }
	return p
}

// accumulate compares runs in 2 and 4 parts, and of two members in 2 parts each, with the
// run at once.
func (p parallelTask) accumulate(t *testing.T, o func() Optimizer, opts ...Option) {
	t.Helper()
	want := p.run(t, o(), opts...)
	near := func(what string, got []float64) {
		if d := distance(got, want); !(d <= 1e-10) {
			t.Errorf("%s: off by %.1e", what, d)
		}
	}
	for _, n := range []int{2, 4} {
		near("in parts", p.run(t, o(), append([]Option{Accumulate(n)}, opts...)...))
	}
	runs := make([][]float64, 2)
	together(2, func(c Communicator) {
		runs[c.Rank()] = p.run(t, o(), append([]Option{Parallel(c), Accumulate(2)}, opts...)...)
		if runs[c.Rank()] == nil {
			c.Abort(nil)
		}
	})
	if t.Failed() {
		return
	}
	near("members, in parts", runs[0])
	if !slices.Equal(runs[0], runs[1]) {
		t.Error("members have other bits")
	}
}

// TestAccumulateEqualsWhole compares all rules and forms of APO in parts with whole mini-batches.
func TestAccumulateEqualsWhole(t *testing.T) {
	t.Parallel()
	for name := range everyOptimizer() {
		t.Run(name, func(t *testing.T) {
			inParts(t).accumulate(t, func() Optimizer {
				o := everyOptimizer()[name]
				if s, ok := o.(*rule.SOAPConfig); ok {
					s.MaxDim, s.Eps = 3, 1e-3 // as in TestParallelEqualsOneProcess
				}
				if e, ok := o.(*curvature.EKFACConfig); ok {
					e.LR = 0.001
				}
				return o
			})
		})
	}
	for name, opts := range map[string][]Option{
		"calibrated": {Calibrated(CalibratedConfig{})}, "fraction": {FSDFraction(0.5)}, "per layer": {RatePerParam()}, "without": {EveryK(0)},
	} {
		t.Run(name, func(t *testing.T) { inParts(t).accumulate(t, func() Optimizer { return SGDm(0.05) }, opts...) })
	}
}

// TestAccumulateDraws compares runs whose masks and targets are drawn.
func TestAccumulateDraws(t *testing.T) {
	eachDraw(t, inParts(t), func(t *testing.T, p parallelTask, o func() Optimizer) { p.accumulate(t, o) })
}

// TestAccumulateTokens weighs parts by the tokens that they have.
func TestAccumulateTokens(t *testing.T) {
	p := parallelTask{model: languageModel(true), loss: graph.TokenCrossEntropy(graph.TokenSettings{Smoothing: 0.1}), batch: func(step int) graph.Batch {
		return sentenceBatch(sentences(), step%6, (step+1)%6, (step+3)%6, (step+4)%6)
	}, steps: 12}
	precond := func() Optimizer {
		o := Precond(0.01)
		o.Rows = 1 // half of four sentences is no multiple of four
		return o
	}
	for name, o := range map[string]func() Optimizer{
		"adamw": func() Optimizer { return AdamW(0.005) }, "precond": precond, "kfac": func() Optimizer { return KFAC(0.01) },
	} {
		t.Run(name, func(t *testing.T) { p.accumulate(t, o) })
	}
}

// TestAccumulateNorm: batch norm has the statistics of a part, as of a member of Parallel: two
// parts and two members are one run, up to rounding.
func TestAccumulateNorm(t *testing.T) {
	data := toyData(t, tensor.Float64)
	p := parallelTask{model: layers.Sequential(layers.Dense(4, 8, apoops.Identity), layers.BatchNorm(8, apoops.Identity), layers.Dense(8, 3, apoops.Identity)),
		loss: graph.SoftmaxCrossEntropy, steps: 20, batch: func(step int) graph.Batch { return rowsOf(data, step*7%24, 16) }}
	in := p.run(t, SGDm(0.05), Accumulate(2))
	whole := p.run(t, SGDm(0.05))
	runs := make([][]float64, 2)
	together(2, func(c Communicator) { runs[c.Rank()] = p.run(t, SGDm(0.05), Parallel(c)) })
	if d := distance(in, runs[0]); !(d <= 1e-12) {
		t.Errorf("two parts and two members differ by %.1e", d)
	}
	if d := distance(in, whole); d < 1e-6 {
		t.Errorf("the statistics of the parts are those of the whole mini-batch (%.1e)", d)
	}
}

// TestAccumulateIn16Bits: two parts have the bits of two members, with a dynamic loss scale too.
func TestAccumulateIn16Bits(t *testing.T) {
	p, data := toyTask(t), toyData(t, tensor.Float32)
	for _, f := range lowFormats {
		for name, o := range map[string]func() Optimizer{"adam": func() Optimizer { return Adam(0.005) }, "kfac": func() Optimizer { return KFAC(0.002) }} {
			run := func(comm Communicator, with Option) []float64 {
				tr, err := New(p.model, p.loss, o(), EveryK(2), Precision(f), with)
				_, weights := lossesAndWeights(t, comm, tr, err, 20, func(i int) graph.Batch { return rowsOf(data, i*7%40, 12) })
				return weights
			}
			got := run(collective.Single{}, Accumulate(2))
			var want [2][]float64
			together(2, func(c Communicator) { want[c.Rank()] = run(c, Parallel(c)) })
			if !slices.Equal(got, want[0]) {
				t.Errorf("%v, %s: off by %.1e", f, name, distance(got, want[0]))
			}
		}
	}
}

// TestAccumulateResumes: a run goes on in other parts from its checkpoint.
func TestAccumulateResumes(t *testing.T) {
	p, path := inParts(t), t.TempDir()+"/run"
	p.steps = 10
	want := p.run(t, Adam(0.01))
	var tr *Trainer
	for from, n := range []int{4, 2} {
		var err error
		if tr, err = New(p.model, p.loss, Adam(0.01), Dtype(tensor.Float64), Seed(3), EveryK(2), Accumulate(n)); err != nil {
			t.Fatal(err)
		}
		if from > 0 {
			if err := tr.Load(path); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			if _, err := tr.Step(p.batch(tr.Steps())); err != nil {
				t.Fatal(err)
			}
		}
		if err := tr.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	if d := distance(weightsOf(tr), want); !(d <= 1e-10) {
		t.Errorf("off by %.1e", d)
	}
}

func TestAccumulateRefused(t *testing.T) {
	model, data := layers.MLP(4, 6, 3), toyData(t, tensor.Float64)
	for _, n := range []int{0, -1} {
		if _, err := New(model, graph.SoftmaxCrossEntropy, SGD(0.1), Accumulate(n)); err == nil || !strings.Contains(err.Error(), "Accumulate(") {
			t.Errorf("%d parts: %v", n, err)
		}
	}
	together(2, func(c Communicator) {
		if _, err := New(model, graph.SoftmaxCrossEntropy, SGD(0.1), Parallel(c, JointBatchNorm()), Accumulate(2)); err == nil || !strings.Contains(err.Error(), "JointBatchNorm") {
			t.Errorf("joint batch norm: %v", err)
		}
	})
	tr, err := New(model, graph.SoftmaxCrossEntropy, SGD(0.1), Dtype(tensor.Float64), Accumulate(3))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Step(rowsOf(data, 0, 10)); err == nil || !strings.Contains(err.Error(), "10 examples cannot be computed in 3 equal parts") || !strings.Contains(err.Error(), "step 0") {
		t.Errorf("10 examples: %v", err)
	}
	if _, err := tr.Step(rowsOf(data, 0, 9)); err != nil || tr.Steps() != 1 {
		t.Errorf("9 examples after the error: %v", err)
	}
}
