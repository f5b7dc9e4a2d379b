package trainers

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// TestMasterWeightsResume goes on from a checkpoint to the bits of the run that was never
// stopped, with weights that are no numbers of the format.
func TestMasterWeightsResume(t *testing.T) {
	optimizers := secondOrder()
	optimizers["adam"] = Adam(0.005)
	for name, o := range optimizers {
		for _, f := range lowFormats {
			start := func() *Trainer {
				return normedTrainer(t, o, EveryK(3), Seed(3), Precision(f, precision.MasterWeights()))
			}
			whole := start()
			run(t, whole, 0, 5)
			path := filepath.Join(t.TempDir(), "checkpoint")
			if err := whole.Save(path); err != nil {
				t.Fatal(err)
			}
			resumed := start()
			if err := resumed.Load(path); err != nil {
				t.Fatal(err)
			}
			sameBits(t, name+" loaded", whole.engine, resumed.engine)
			run(t, whole, 5, 9)
			run(t, resumed, 5, 9)
			sameBits(t, name+" resumed", whole.engine, resumed.engine)
			if isOf(f, whole.Params()[0].Value) {
				t.Errorf("%s, %v: the master weights are of the format", name, f)
			}
		}
	}
}

// TestRoundingIsKept goes on from a run that rounded weights in another way than the default
// is now: as that run did, with a note, unless the rounding is chosen.
func TestRoundingIsKept(t *testing.T) {
	start := func(settings ...precision.Setting) *Trainer {
		return toyTrainer(t, SGDm(0.05), EveryK(2), Precision(apoops.BFloat16, settings...))
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	nearest, random := start(precision.Nearest()), start()
	for _, tr := range []*Trainer{nearest, random} {
		run(t, tr, 0, 3)
	}
	if err := nearest.Save(path); err != nil {
		t.Fatal(err)
	}
	resumed := start()
	if err := resumed.Load(path); err != nil {
		t.Fatal(err)
	}
	wantNote(t, resumed.Notes(), "bfloat16 to the nearest")
	for _, tr := range []*Trainer{nearest, random, resumed} {
		run(t, tr, 3, 6)
	}
	sameBits(t, "resumed", nearest.engine, resumed.engine)
	wantError(t, "Load", start(precision.Stochastic()).Load(path), "stochastic false")

	// What it saves says so too, and a checkpoint that is refused changes nothing.
	if err := resumed.Save(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, "Load", start(precision.Stochastic()).Load(path), "stochastic false")
	twin := toyTrainer(t, Adam(0.05), EveryK(2), Precision(apoops.BFloat16))
	if err := start(precision.Nearest()).Load(path); err != nil || twin.Load(path) == nil {
		t.Fatalf("error %v, or the checkpoint of another optimizer was accepted", err)
	}
	fresh := toyTrainer(t, Adam(0.05), EveryK(2), Precision(apoops.BFloat16))
	run(t, twin, 0, 3)
	run(t, fresh, 0, 3)
	sameBits(t, "after the refusal", fresh.engine, twin.engine)

	if err := random.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := resumed.Load(path); err != nil || len(resumed.Notes()) != 0 {
		t.Fatalf("error %v, notes %q", err, resumed.Notes())
	}
	sameBits(t, "at random", random.engine, resumed.engine)
}

// TestWrapResumesIn16Bits is about weights in the user's graph, with all that is random.
func TestWrapResumesIn16Bits(t *testing.T) {
	for _, o := range []Optimizer{Adam(0.01), PrecondPlain(0.05), Shampoo(0.01)} {
		for _, f := range lowFormats {
			start := func() (*stockNet, *Solver) {
				own := newStockNet(tensor.Float32, 4, stockNets["mlp"])
				own.machine(t)
				s, err := Wrap(own.problem, o, EveryK(2), FSD(0.1, graph.CategoricalKL), Precision(f, precision.Stochastic()))
				if err != nil {
					t.Fatal(err)
				}
				return own, s
			}
			own, whole := start()
			steps := func(own *stockNet, s *Solver, from, to int) (losses []float64) {
				for step := from; step < to; step++ {
					losses = append(losses, own.own(t, s, own.batch(step)))
				}
				return losses
			}
			steps(own, whole, 0, 3)
			path := filepath.Join(t.TempDir(), "checkpoint")
			if err := whole.Save(path); err != nil {
				t.Fatal(err)
			}
			want := steps(own, whole, 3, 7)
			other, resumed := start()
			if err := resumed.Load(path); err != nil {
				t.Fatal(err)
			}
			for i, v := range steps(other, resumed, 3, 7) {
				if v != want[i] {
					t.Fatalf("%s, %v: step %d: the loss is %v, want %v", o.Name(), f, 3+i, v, want[i])
				}
			}
			sameBits(t, o.Name(), whole.engine, resumed.engine)
			if a, b := whole.Scaler(), resumed.Scaler(); *a != *b {
				t.Fatalf("loss scale %+v, resumed %+v", *a, *b)
			}
		}
	}
}

// TestSecondOrderConverts goes from float32 to 16 bits and back: what is loaded is rounded
// before it is used.
func TestSecondOrderConverts(t *testing.T) {
	for name, o := range secondOrder() {
		for _, f := range lowFormats {
			path := filepath.Join(t.TempDir(), "checkpoint")
			single, low := normedTrainer(t, o, EveryK(2)), normedTrainer(t, o, EveryK(2), Precision(f))
			run(t, single, 0, 5)
			if err := single.Save(path); err != nil {
				t.Fatal(err)
			}
			if err := low.Load(path); err != nil {
				t.Fatal(err)
			}
			wantNote(t, low.Notes(), "float32", f.String())
			inFormat(t, low, f)
			arrays := single.engine.tensors()
			for i, a := range low.engine.tensors() {
				k, ok := kindOfState(a)
				if !ok || k == precision.SecondMoments {
					continue
				}
				for j, v := range numbers(arrays[i].Value) {
					if got, want := numbers(a.Single())[j], apoops.Round16(f, v); got != want && math.Abs(v) < f.Max() {
						t.Fatalf("%s, %v: %s: element %d is %v, of %v", name, f, a.Name, j, got, v)
					}
				}
			}
			run(t, low, 5, 8)
			if err := low.Save(path); err != nil {
				t.Fatal(err)
			}
			if err := single.Load(path); err != nil {
				t.Fatal(err)
			}
			wantNote(t, single.Notes(), f.String(), "float32")
			arrays = low.engine.tensors()
			for i, a := range single.engine.tensors() {
				if a.Value.Dtype() != tensor.Uint64 {
					sameArray(t, name+": "+a.Name, a.Value, arrays[i].Single())
				}
			}
			run(t, single, 8, 10)
			finiteAll(t, single)
		}
	}
}

// TestScaleGrows doubles the scale after so many finite steps in a row.
func TestScaleGrows(t *testing.T) {
	scale := precision.WithScale(precision.LossScale{Start: 256, Dynamic: true, Every: 3})
	tr := toyTrainer(t, SGD(0.01), EveryK(0), Precision(apoops.Float16, scale))
	b := rowsOf(toyData(t, tensor.Float32), 0, 12)
	for step, want := range []float64{256, 256, 256, 512, 512, 512, 1024} {
		s, err := tr.Step(b)
		if err != nil || s.StepSkipped || s.LossScale != want {
			t.Fatalf("step %d: scale %v, want %v; skipped %v, error %v", step, s.LossScale, want, s.StepSkipped, err)
		}
	}
	// Until it overflows; then the steps are counted from the start.
	for last := 1024.; ; {
		s, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		if !s.StepSkipped {
			last = s.LossScale
			continue
		}
		if s.LossScale != 2*last {
			t.Fatalf("skipped at the scale %v after %v", s.LossScale, last)
		}
		for i, want := range []float64{last, last, last, 2 * last} {
			if s, err = tr.Step(b); err != nil || s.LossScale != want {
				t.Fatalf("%d steps after a skipped one: scale %v, want %v; error %v", i, s.LossScale, want, err)
			}
		}
		return
	}
}

// TestMetaStepLowersScale has a scale at which the meta-gradient overflows, and the
// gradient does not: φ stays until it is low enough.
func TestMetaStepLowersScale(t *testing.T) {
	for _, opts := range [][]Option{nil, {SameBatch()}} {
		testMetaStepLowersScale(t, opts)
	}
}

func testMetaStepLowersScale(t *testing.T, opts []Option) {
	start := func() (*Trainer, graph.Batch) {
		return flat(t, SGD(1), append(opts, EveryK(1), FSD(1e7), Precision(apoops.Float16, precision.DynamicScale(1<<24)))...)
	}
	tr, b := start()
	rate := tr.Rates()[0]
	skipped, scale := 0, float64(1<<24)
	for step := 0; ; step++ {
		s, err := tr.Step(b)
		if opts == nil && step > 0 && s.Meta.Skipped {
			scale /= 2 // since the step at which the meta-step began
		}
		if err != nil || s.StepSkipped || s.LossScale != scale {
			t.Fatalf("scale %v, want %v; skipped %v, error %v", s.LossScale, scale, s.StepSkipped, err)
		}
		if opts == nil && step == 0 {
			continue // the first meta-step has begun
		}
		if !s.Meta.Skipped {
			break
		}
		if tr.Rates()[0] != rate {
			t.Fatalf("a rate of %v has become %v", rate, tr.Rates()[0])
		}
		if skipped++; opts != nil {
			scale /= 2
		}
	}
	s := tr.Scaler()
	if skipped == 0 || tr.Skipped() != skipped || s.Lowered != skipped || s.Skipped != 0 {
		t.Fatalf("%d meta-steps skipped: %d, %+v", skipped, tr.Skipped(), *s)
	}
	if tr.Rates()[0] == rate {
		t.Error("φ did not move")
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	resumed, _ := start()
	if err := resumed.Load(path); err != nil {
		t.Fatal(err)
	}
	if got := resumed.Scaler(); *got != *s || resumed.Skipped() != skipped {
		t.Errorf("after Load %+v, want %+v", *got, *s)
	}
}

// TestWeightsBeyondFloat16 has a step in the middle of a training take a weight beyond the
// range: an error that names it, and the training goes on as one that never saw the step.
func TestWeightsBeyondFloat16(t *testing.T) {
	for name, o := range map[string]Optimizer{"sgdm": SGDm(0.05), "adam": Adam(0.05), "kfac": KFAC(0.05), "precond": Precond(0.05), "plain": PrecondPlain(0.05)} {
		for kind, settings := range map[string][]precision.Setting{"16 bits": nil, "stochastic": {precision.Stochastic()}, "master": {precision.MasterWeights()}} {
			what := name + ", " + kind
			start := func() *Trainer { return toyTrainer(t, o, EveryK(2), Precision(apoops.Float16, settings...)) }
			tr, twin := start(), start()
			run(t, tr, 0, 4)
			run(t, twin, 0, 4)
			schedule := tr.engine.c.schedule
			tr.engine.c.schedule = StepDecay(1e8, 0) // finite in float32
			_, err := tr.Step(rowsOf(toyData(t, tensor.Float32), 0, 12))
			wantError(t, what, err, "step 4", `the weights "dense`, "float16", "65504")
			if !errors.Is(err, ErrNotFinite) {
				t.Fatalf("%s: %v is no ErrNotFinite", what, err)
			}
			tr.engine.c.schedule = schedule
			sameBits(t, what, tr.engine, twin.engine)
			run(t, tr, 4, 7)
			run(t, twin, 4, 7)
			sameBits(t, what, tr.engine, twin.engine)
		}
	}
}
