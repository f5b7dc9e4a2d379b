package trainers

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

var lowFormats = []apoops.Format{apoops.Float16, apoops.BFloat16}

// inFormat reports a weight that is no number of the format.
func inFormat(t testing.TB, tr *Trainer, f apoops.Format) {
	t.Helper()
	for _, p := range tr.Params() {
		if p.Statistic {
			continue
		}
		for i, v := range numbers(p.Value) {
			if apoops.Round16(f, v) != v {
				t.Fatalf("%s: element %d is %v, no number of %v", p.Name, i, v, f)
			}
		}
	}
}

// TestTrainingIn16Bits trains by every rule, with meta-steps, saves in the middle, and
// goes on to the bits of the run that was never stopped.
func TestTrainingIn16Bits(t *testing.T) {
	t.Parallel()
	for name, o := range everyOptimizer() {
		for _, f := range lowFormats {
			for kind, settings := range map[string][]precision.Setting{"nearest": {precision.Nearest()}, "stochastic": {precision.Stochastic()}} {
				t.Run(name+" "+f.String()+" "+kind, func(t *testing.T) {
					start := func() *Trainer {
						return normedTrainer(t, o, EveryK(3), Seed(3), Precision(f, settings...))
					}
					whole := start()
					inFormat(t, whole, f)
					run(t, whole, 0, 6)
					for _, a := range whole.engine.tensors() {
						if a.Packed() && a.Format != f {
							t.Errorf("%s is in 16 bits as %v", a.Name, a.Format)
						}
					}
					path := filepath.Join(t.TempDir(), "checkpoint")
					if err := whole.Save(path); err != nil {
						t.Fatal(err)
					}
					run(t, whole, 6, 10)
					resumed := start()
					if err := resumed.Load(path); err != nil {
						t.Fatal(err)
					}
					run(t, resumed, 6, 10)
					sameBits(t, "resumed", whole.engine, resumed.engine)
					if a, b := whole.Scaler(), resumed.Scaler(); *a != *b {
						t.Fatalf("loss scale %+v, resumed %+v", *a, *b)
					}
					inFormat(t, whole, f)
				})
			}
		}
	}
}

// TestStateIn16Bits walks through the optimizers' state: each moment is of the format
// exactly where it is kept in 16 bits.
func TestStateIn16Bits(t *testing.T) {
	heavy := RMSprop(0.005)
	heavy.Momentum = 0.9
	for _, o := range []Optimizer{SGDm(0.05), Adam(0.005), AdamW(0.005), heavy, userRules()["lion"]} {
		for _, f := range lowFormats {
			for _, low := range [][2]bool{{true, false}, {false, true}, {true, true}} {
				settings := []precision.Setting{precision.InFloat32(precision.Momentum, precision.SecondMoments)}
				for k, kept := range low {
					if kept {
						settings = append(settings, precision.In16Bits(precision.Kind(k)))
					}
				}
				tr := normedTrainer(t, o, EveryK(3), Precision(f, settings...))
				run(t, tr, 0, 7)
				want := map[string]bool{"m": low[precision.Momentum], "average": low[precision.Momentum], "v": low[precision.SecondMoments]}
				for _, a := range tr.engine.Update.State() {
					all := true
					for _, v := range numbers(a.Single()) {
						all = all && apoops.Round16(f, v) == v
					}
					if name := a.Name[strings.LastIndex(a.Name, "/")+1:]; all != want[name] {
						t.Errorf("%s, %v, %v: %s is of the format: %v, want %v", o.Name(), f, low, a.Name, all, want[name])
					}
				}
			}
		}
	}
}

// TestPrecisionLearns compares the loss after some epochs with that of float32, both as
// means over seeds: of one seed alone it differs by as much as between two of float32.
func TestPrecisionLearns(t *testing.T) {
	t.Parallel()
	const seeds = 5
	loss := func(o Optimizer, opts ...Option) (sum float64) {
		for seed := range uint64(seeds) {
			tr, err := New(layers.MLP(4, 16, 3), graph.SoftmaxCrossEntropy, o, append(opts, Seed(seed+1))...)
			if err != nil {
				t.Fatal(err)
			}
			run(t, tr, 0, 150)
			s, err := tr.Step(rowsOf(toyData(t, tensor.Float32), 0, 60))
			if err != nil {
				t.Fatal(err)
			}
			sum += s.Loss
		}
		return sum / seeds
	}
	for _, o := range []Optimizer{SGDm(0.05), Adam(0.01), AdamW(0.01), RMSprop(0.003)} {
		for _, k := range []int{0, 10} {
			single := loss(o, EveryK(k))
			for _, f := range lowFormats {
				if low := loss(o, EveryK(k), Precision(f)); math.Abs(low-single) > 0.1*single+0.02 {
					t.Errorf("%s, K = %d: the loss is %v in %v, %v in float32", o.Name(), k, low, f, single)
				}
			}
		}
	}
}

// TestStochasticRounding takes steps of at most 2⁻¹⁰ from weights of 1: to the nearest
// bfloat16 each is lost, at random they add up to what float32 has.
func TestStochasticRounding(t *testing.T) {
	const n = 512
	mean := func(opts ...Option) (sum float64) {
		tr, err := New(layers.MLP(1, n), graph.SquaredError, SGD(0x1p-10), append(opts, EveryK(0))...)
		if err != nil {
			t.Fatal(err)
		}
		w := tr.Params()[0].Value.Float32s()[:n]
		b := graph.NewBatch(denseOf([]float32{1}, 1, 1), tensor.New(tensor.WithShape(1, n), tensor.Of(tensor.Float32)))
		for i := range w {
			w[i] = 1
		}
		for range 100 {
			if _, err := tr.Step(b); err != nil {
				t.Fatal(err)
			}
		}
		for _, v := range w {
			sum += float64(v)
		}
		return sum / n
	}
	single := mean()
	nearest := mean(Precision(apoops.BFloat16, precision.Nearest()))
	random := mean(Precision(apoops.BFloat16))
	if single > 0.95 {
		t.Fatalf("float32 moves to %v", single)
	}
	if nearest != 1 {
		t.Errorf("to the nearest: %v, want that all steps are lost", nearest)
	}
	// A step is 0 or 2⁻⁸ with a variance of at most 2⁻¹⁸, so the mean over 100 steps
	// and n weights has a standard deviation below 10·2⁻⁹/√n = 0.0009.
	if math.Abs(random-single) > 0.0045 {
		t.Errorf("at random: %v, float32 %v", random, single)
	}
}

// TestSkippedSteps begins with a loss scale at which gradients overflow: nothing moves
// until the scale is low enough.
func TestSkippedSteps(t *testing.T) {
	const start = 1 << 24
	tr := toyTrainer(t, Adam(0.01), EveryK(2), Precision(apoops.Float16, precision.DynamicScale(start)))
	before := tr.Params()[0].Value.Clone().(*tensor.Dense)
	b := rowsOf(toyData(t, tensor.Float32), 0, 12)
	scale := float64(start)
	for step := 0; ; step++ {
		s, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		if s.LossScale != scale || s.Step != step {
			t.Fatalf("step %d is %d at the scale %v, want %v", step, s.Step, s.LossScale, scale)
		}
		if !s.StepSkipped {
			if step == 0 || tr.SkippedSteps() != step {
				t.Fatalf("%d steps skipped of the first %d", tr.SkippedSteps(), step)
			}
			break
		}
		scale /= 2
		sameArray(t, "weights after a step that was skipped", before, tr.Params()[0].Value)
		for _, a := range tr.engine.Update.State() {
			for _, v := range numbers(a.Single()) {
				if v != 0 {
					t.Fatalf("%s moved", a.Name)
				}
			}
		}
	}
	if tr.engine.taken() != 1 {
		t.Fatalf("%d steps taken", tr.engine.taken())
	}

	capped := toyTrainer(t, SGD(0.01), EveryK(0), Precision(apoops.Float16, precision.WithScale(precision.LossScale{Start: start, Cap: 3})))
	for range 3 {
		if s, err := capped.Step(b); err != nil || !s.StepSkipped {
			t.Fatalf("skipped %v, error %v", s.StepSkipped, err)
		}
	}
	_, err := capped.Step(b)
	wantError(t, "after the cap", err, "step 3", "loss scale", "3 steps in a row")
	if !errors.Is(err, ErrNotFinite) {
		t.Fatalf("%v is no ErrNotFinite", err)
	}
}

// TestSkippedStepsOutliveTheLossScale: a run that goes on in float32 and then in float16 again
// does not count steps that overflowed, and its next step has Adam's bias corrections.
func TestSkippedStepsOutliveTheLossScale(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	start := func(opts ...Option) *Trainer { return toyTrainer(t, Adam(0.01), append(opts, EveryK(2))...) }
	before := start(Precision(apoops.Float16, precision.DynamicScale(1<<24)))
	run(t, before, 0, 12)
	skipped, taken := before.SkippedSteps(), before.engine.taken()
	if skipped == 0 || taken == 0 {
		t.Fatalf("%d steps were skipped, %d taken", skipped, taken)
	}
	for i, opts := range [][]Option{nil, nil, {Precision(apoops.Float16)}} {
		if err := before.Save(path); err != nil {
			t.Fatal(err)
		}
		tr := start(opts...)
		if err := tr.Load(path); err != nil {
			t.Fatal(err)
		}
		if tr.SkippedSteps() != skipped || tr.engine.taken() != taken+i {
			t.Fatalf("%d: %d of %d steps skipped, before it went on %d of %d", i, tr.SkippedSteps(), tr.Steps(), skipped, skipped+taken+i)
		}
		w, n := numbers(tr.Params()[0].Value), 12+i
		run(t, tr, n, n+1)
		if i < 2 {
			checkAdamStep(t, tr, w, taken+i+1)
		}
		before = tr
	}
}

// checkAdamStep compares the last step, from the weights w of the first parameter, with step t
// of Adam by the moments that it has left.
func checkAdamStep(t *testing.T, tr *Trainer, w []float64, step int) {
	t.Helper()
	state := byName(tr.engine.Update.State())
	name, rate := tr.Params()[0].Name, tr.engine.Update.Rates(step-1, 1)[0]
	m, v := numbers(state[name+"/m"]), numbers(state[name+"/v"])
	for i, after := range numbers(tr.Params()[0].Value) {
		first, second := m[i]/(1-math.Pow(0.9, float64(step))), v[i]/(1-math.Pow(0.999, float64(step)))
		if want := w[i] - rate*first/(math.Sqrt(second)+1e-8); math.Abs(after-want) > 1e-6*(1+math.Abs(want)) {
			t.Fatalf("element %d is %v, step %d of Adam leads to %v", i, after, step, want)
		}
	}
}

// TestPrecisionConverts goes from float32 to 16 bits and back, with a note.
func TestPrecisionConverts(t *testing.T) {
	for _, f := range lowFormats {
		path := filepath.Join(t.TempDir(), "checkpoint")
		single, low := normedTrainer(t, Adam(0.01), EveryK(2)), normedTrainer(t, Adam(0.01), EveryK(2), Precision(f))
		run(t, single, 0, 3)
		if err := single.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := low.Load(path); err != nil {
			t.Fatal(err)
		}
		inFormat(t, low, f)
		wantNote(t, low.Notes(), "float32", f.String())
		run(t, low, 3, 6)
		if err := low.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := single.Load(path); err != nil {
			t.Fatal(err)
		}
		wantNote(t, single.Notes(), f.String(), "float32")
		run(t, single, 6, 8)
		other := normedTrainer(t, Adam(0.01), EveryK(2), Precision(f, precision.MasterWeights()))
		wantError(t, "Load", other.Load(path), "master weights")
	}
}

func wantNote(t *testing.T, notes []string, parts ...string) {
	t.Helper()
	text := strings.Join(notes, "\n")
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Fatalf("the notes %q do not name %q", text, p)
		}
	}
}

// TestPrecisionRefusals is about bad input.
func TestPrecisionRefusals(t *testing.T) {
	for _, c := range []struct {
		opts  []Option
		parts []string
	}{
		{[]Option{Precision(7)}, []string{"format 7"}},
		{[]Option{Precision(apoops.BFloat16), Dtype(tensor.Float64)}, []string{"bfloat16", "float64"}},
		{[]Option{Precision(apoops.Float16, precision.StaticScale(0))}, []string{"loss scale 0"}},
		{[]Option{Precision(apoops.Float16, precision.StaticScale(-2))}, []string{"loss scale -2"}},
		{[]Option{Precision(apoops.Float16, precision.DynamicScale(3))}, []string{"loss scale 3"}},
		{[]Option{Precision(apoops.Float16, nil)}, []string{"a setting is nil"}},
		{[]Option{Precision(apoops.Float16, precision.Stochastic(), precision.MasterWeights())}, []string{"Stochastic", "MasterWeights"}},
	} {
		_, err := New(toyModel(), toyLoss, SGD(0.1), c.opts...)
		wantError(t, "New", err, c.parts...)
	}
	huge := toyTrainer(t, SGD(0.1), EveryK(0))
	huge.Params()[0].Value.Float32s()[3] = 1e6
	path := filepath.Join(t.TempDir(), "weights")
	if err := huge.SaveWeights(path); err != nil {
		t.Fatal(err)
	}
	low, twin := toyTrainer(t, SGD(0.1), EveryK(0), Precision(apoops.Float16)), toyTrainer(t, SGD(0.1), EveryK(0), Precision(apoops.Float16))
	wantError(t, "LoadWeights", low.LoadWeights(path), low.Params()[0].Name, "element 3", "65504")
	sameBits(t, "after the refusal", low.engine, twin.engine)
	if err := huge.Save(path); err != nil {
		t.Fatal(err)
	}
	_, err := New(toyModel(), toyLoss, SGD(0.1), Precision(apoops.Float16, precision.In16Bits(9)))
	wantError(t, "New", err, "kind of state 9")
	wantError(t, "Load", low.Load(path), low.Params()[0].Name, "element 3", "65504")
	sameBits(t, "after the refusal", low.engine, twin.engine)
}
