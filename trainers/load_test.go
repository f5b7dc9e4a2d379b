package trainers

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// loadCase is a run whose checkpoint a standard run must not take.
type loadCase struct {
	model *layers.Model
	loss  graph.Loss
	o     Optimizer
	opts  []Option
}

func mustNew(t *testing.T, c loadCase) *Trainer {
	t.Helper()
	model := c.model
	if model == nil {
		model = layers.Sequential(layers.Dense(4, 5, apoops.TanhAct), layers.Dropout(0.1), layers.Dense(5, 3, apoops.Identity))
	}
	loss := c.loss
	if loss.Build == nil {
		loss = graph.SoftmaxCrossEntropy
	}
	o := c.o
	if o == nil {
		o = Adam(0.01)
	}
	tr, err := New(model, loss, o, append([]Option{EveryK(2)}, c.opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// Whatever shaped a run is compared, and what differs is named with both values.
func TestLoadRefusesAnotherRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	tilde := TildeFrom(func(int) ([]*tensor.Dense, error) { return nil, errors.New("never asked") })
	groups := func(a, b int) Option { return RateGroups(map[string]int{"dense0": a, "dense1": b}) }
	dense := layers.Dense(5, 3, apoops.Identity)
	renamed := graph.SoftmaxCrossEntropy
	renamed.Name = "another loss"
	adam := Adam(0.01)
	adam.Beta2 = 0.9
	for what, pair := range map[string]struct {
		stored, own loadCase
		want        []string
	}{
		"groups":       {loadCase{opts: []Option{groups(0, 1)}}, loadCase{opts: []Option{groups(1, 0)}}, []string{"rate groups[0] dense0: 0", "dense0: 1", "rate groups[1]"}},
		"bounds":       {loadCase{opts: []Option{RateBounds(1e-4, 1)}}, loadCase{}, []string{"RateBounds[0] 0.0001", "1e-8", "RateBounds[1] 1, this training has 1000"}},
		"clip":         {loadCase{opts: []Option{ClipMeta(0.5)}}, loadCase{}, []string{"ClipMeta 0.5, this training has 0"}},
		"λ_FSD":        {loadCase{opts: []Option{FSD(0.25)}}, loadCase{}, []string{"λ_FSD 0.25, this training has 1"}},
		"λ_WSD":        {loadCase{opts: []Option{WSD(0.25)}}, loadCase{}, []string{"λ_WSD 0.25, this training has 0"}},
		"λ varies":     {loadCase{opts: []Option{FSDSchedule(Const(1))}}, loadCase{}, []string{"λ_FSD a function, this training has 1"}},
		"loss":         {loadCase{loss: renamed}, loadCase{}, []string{"loss another loss, this training has softmax-cross-entropy"}},
		"divergence":   {loadCase{opts: []Option{FSD(1, graph.CategoricalReverseKL)}}, loadCase{}, []string{"divergence categorical-reverse-kl"}},
		"activation":   {loadCase{model: layers.Sequential(layers.Dense(4, 5, apoops.ReLUAct), layers.Dropout(0.1), dense)}, loadCase{}, []string{"model[0] dense 4×5, relu, this training has dense 4×5, tanh"}},
		"dropout":      {loadCase{model: layers.Sequential(layers.Dense(4, 5, apoops.TanhAct), layers.Dropout(0.2), dense)}, loadCase{}, []string{"model[1] dropout 0.2, this training has dropout 0.1"}},
		"deeper":       {loadCase{model: layers.Sequential(layers.Dense(4, 5, apoops.TanhAct), layers.Dropout(0.1), dense, layers.Dense(3, 3, apoops.Identity))}, loadCase{}, []string{"3 parameters, this training has 2", "dense2 float32 (4, 3)", `"theta/dense2", which this training lacks`}},
		"schedule":     {loadCase{opts: []Option{WithSchedule(Cosine(100, 0))}}, loadCase{}, []string{"schedule Cosine(100, 0), this training has Constant()"}},
		"milestones":   {loadCase{opts: []Option{WithSchedule(WarmUp(3, StepDecay(0.1, 5)))}}, loadCase{opts: []Option{WithSchedule(WarmUp(3, StepDecay(0.1, 6)))}}, []string{"WarmUp(3, StepDecay(0.1, [5]))"}},
		"B'":           {loadCase{}, loadCase{opts: []Option{tilde}}, []string{"B' earlier mini-batches, this training has from TildeFrom"}},
		"fraction":     {loadCase{opts: []Option{FSDFraction(0.25)}}, loadCase{opts: []Option{FSDFraction(1)}}, []string{"FSDFraction 0.25, this training has 1"}},
		"rule's field": {loadCase{o: adam}, loadCase{}, []string{"optimizer settings.beta2 0.9, this training has 0.999"}},
		"two":          {loadCase{o: Adam(0.02), opts: []Option{Seed(9)}}, loadCase{}, []string{"optimizer settings.lr 0.02, this training has 0.01", "seed 9, this training has 1"}},
		"trust":        {loadCase{o: trusting(precond.TrustRegion(0.1), 1e-3)}, loadCase{o: trusting(precond.TrustRegion(0.1), 2e-3)}, []string{"trust 0.001, this training has 0.002"}},
	} {
		// Both ways: neither run takes the other's.
		for _, swapped := range []bool{false, true} {
			stored, own, want := pair.stored, pair.own, pair.want
			if swapped {
				stored, own, want = own, stored, nil
			}
			if err := mustNew(t, stored).Save(path); err != nil {
				t.Fatal(err)
			}
			tr := mustNew(t, own)
			before := first(tr.Params()[0].Value)
			wantError(t, what, tr.Load(path), append([]string{path, "written with"}, want...)...)
			if first(tr.Params()[0].Value) != before || tr.Steps() != 0 {
				t.Errorf("%s: the trainer was changed", what)
			}
			if err := mustNew(t, stored).Load(path); err != nil {
				t.Errorf("%s: its own checkpoint: %v", what, err)
			}
		}
	}
}

// altered saves a checkpoint of five steps after a change.
func altered(t *testing.T, path string, change func(s *checkpoint.Snapshot, meta map[string]any)) {
	t.Helper()
	tr := toyTrainer(t, Adam(0.01), EveryK(2), FSDFraction(1)) // as there was no other
	run(t, tr, 0, 5)
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var meta map[string]any
	if err := json.Unmarshal(s.Meta, &meta); err != nil {
		t.Fatal(err)
	}
	change(s, meta)
	if s.Meta, err = json.Marshal(meta); err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.Write(path, s); err != nil {
		t.Fatal(err)
	}
}

func TestLoadRefusesImpossibleCheckpoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	kept := func(s *checkpoint.Snapshot) *NamedTensor { return &s.Tensors[len(s.Tensors)-1] }
	other := denseOf(make([]float32, 8), 2, 4)
	for what, c := range map[string]struct {
		change func(s *checkpoint.Snapshot, meta map[string]any)
		cause  error
		want   string
	}{
		"steps":    {func(_ *checkpoint.Snapshot, m map[string]any) { m["steps"] = -5 }, ErrCorruptCheckpoint, "-5 steps"},
		"skipped":  {func(_ *checkpoint.Snapshot, m map[string]any) { m["skipped"] = -1 }, ErrCorruptCheckpoint, "-1 of their meta-steps"},
		"later":    {func(_ *checkpoint.Snapshot, m map[string]any) { m["version"] = metaVersion + 1 }, ErrNewerCheckpoint, "version"},
		"left out": {func(_ *checkpoint.Snapshot, m map[string]any) { m["skipped_steps"] = skips{Total: 1000} }, ErrCorruptCheckpoint, "1000 of"},
		"in a row": {func(_ *checkpoint.Snapshot, m map[string]any) { m["skipped_steps"] = skips{Total: 1, InRow: 2} }, ErrCorruptCheckpoint, "2 in a row"},
		"left out and skipped": {func(_ *checkpoint.Snapshot, m map[string]any) {
			m["steps"], m["skipped_steps"], m["scaler"] = 5, skips{Total: 3}, precision.Scaler{Scale: 1, Skipped: 3}
		}, ErrCorruptCheckpoint, "3 of 2 steps"},
		"text":     {func(_ *checkpoint.Snapshot, m map[string]any) { m["steps"] = "five" }, ErrCorruptCheckpoint, "steps"},
		"B' shape": {func(s *checkpoint.Snapshot, _ map[string]any) { kept(s).Value = denseOf(make([]float32, 48), 48) }, ErrCorruptCheckpoint, "float32 (48)"},
		"B' dtype": {func(s *checkpoint.Snapshot, _ map[string]any) { kept(s).Value = denseOf(make([]int, 48), 12, 4) }, ErrCorruptCheckpoint, "int (12, 4)"},
		"B' inputs": {func(s *checkpoint.Snapshot, _ map[string]any) {
			s.Tensors = append(s.Tensors, NamedTensor{Name: keptName(0, 1), Value: other})
		}, ErrCorruptCheckpoint, "float32 (2, 4)"},
		"B' number": {func(s *checkpoint.Snapshot, _ map[string]any) {
			s.Tensors = append(s.Tensors, NamedTensor{Name: keptName(1, 0), Value: kept(s).Value})
		}, ErrCorruptCheckpoint, "2 mini-batches"},
		"B' gap": {func(s *checkpoint.Snapshot, _ map[string]any) { kept(s).Name = keptName(1, 0) }, ErrCorruptCheckpoint, "gaps"},
		"foreign": {func(s *checkpoint.Snapshot, _ map[string]any) {
			s.Tensors = append(s.Tensors, NamedTensor{Name: "state/v9", Value: other})
		}, nil, `"state/v9", which this training lacks`},
		"missing": {func(s *checkpoint.Snapshot, _ map[string]any) { s.Tensors = s.Tensors[1:] }, nil, `no "theta/dense0"`},
	} {
		altered(t, path, c.change)
		tr := toyTrainer(t, Adam(0.01), EveryK(2))
		err := tr.Load(path)
		wantError(t, what, err, path, c.want)
		if c.cause != nil && !errors.Is(err, c.cause) {
			t.Errorf("%s: %v is no %v", what, err, c.cause)
		}
		sameBits(t, what, tr.engine, toyTrainer(t, Adam(0.01), EveryK(2)).engine)
		if tr.engine.kept != nil || tr.engine.expected != nil {
			t.Errorf("%s: the trainer was changed", what)
		}
	}
}

// A run goes on with mini-batches of the old kind alone, of any size, old checkpoints
// too.
func TestLoadedRunKeepsItsBatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	for _, change := range []func(*checkpoint.Snapshot, map[string]any){
		func(*checkpoint.Snapshot, map[string]any) {},
		func(_ *checkpoint.Snapshot, m map[string]any) {
			delete(m, "run")
			delete(m, "version")
			delete(m, "environment")
		},
	} {
		altered(t, path, change)
		whole, tr := toyTrainer(t, Adam(0.01), EveryK(2), FSDFraction(1)), toyTrainer(t, Adam(0.01), EveryK(2))
		run(t, whole, 0, 8)
		if err := tr.Load(path); err != nil {
			t.Fatal(err)
		}
		flat := graph.NewBatch(denseOf(make([]float32, 12), 12), denseOf(make([]int, 12), 12))
		double := graph.NewBatch(denseOf(make([]float64, 48), 12, 4), denseOf(make([]int, 12), 12))
		for range 2 {
			_, err := tr.Step(flat)
			wantError(t, "other axes", err, "step 5", "float32 (12)", "2 axes")
			if !errors.Is(err, ErrShape) {
				t.Errorf("%v is no ErrShape", err)
			}
			if _, err = tr.Step(double); !errors.Is(err, ErrDtype) {
				t.Errorf("%v is no ErrDtype", err)
			}
		}
		run(t, tr, 5, 8)
		sameBits(t, "after refused batches", whole.engine, tr.engine)

		other := toyTrainer(t, Adam(0.01), EveryK(2))
		if _, err := other.Step(rowsOf(toyData(t, tensor.Float32), 0, 10)); err != nil {
			t.Fatal(err)
		}
		if err := other.Load(path); err != nil {
			t.Errorf("a run under way with other sizes: %v", err)
		}
	}
}

// LoadWeights is the way to other settings.
func TestLoadWeights(t *testing.T) {
	dir := t.TempDir()
	checkpoint, weights := filepath.Join(dir, "checkpoint"), filepath.Join(dir, "weights.safetensors")
	source := normedTrainer(t, Adam(0.01), EveryK(2))
	run(t, source, 0, 5)
	if err := source.Save(checkpoint); err != nil {
		t.Fatal(err)
	}
	if err := source.SaveWeights(weights); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{checkpoint, weights} {
		tr := normedTrainer(t, SGD(0.3), EveryK(5), Seed(77), WithSchedule(Cosine(9, 0)))
		if err := tr.LoadWeights(path); err != nil {
			t.Fatal(err)
		}
		for i, p := range tr.Params() {
			sameArray(t, p.Name, p.Value, source.Params()[i].Value)
		}
		if tr.Steps() != 0 || tr.Rates()[0] != 0.3 {
			t.Errorf("%d steps, rates %v", tr.Steps(), tr.Rates())
		}
		run(t, tr, 0, 3)

		wantError(t, "another model", toyTrainer(t, SGD(0.1)).LoadWeights(path), path, "no parameter dense0")
		double := normedTrainer(t, SGD(0.3), Dtype(tensor.Float64))
		before := first(double.Params()[0].Value)
		wantError(t, "another dtype", double.LoadWeights(path), path, "normed0/scale as float32 (4), this model has float64 (4)")
		if first(double.Params()[0].Value) != before {
			t.Error("the trainer was changed")
		}
	}
	bad := filepath.Join(dir, "bad")
	for _, text := range []string{"", "APO", "hello, this is no file of weights"} {
		if err := os.WriteFile(bad, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		wantError(t, text, source.LoadWeights(bad), bad)
	}
	wantError(t, "no file", source.LoadWeights(filepath.Join(dir, "none")), "none")
}

// A solver's checkpoint is of one graph. Its description is the same in another
// process.
func TestSolverLoadComparesGraphs(t *testing.T) {
	const env = "APO_TEST_DESCRIBE"
	user := newConvLoop(t, stockPool)
	text := strings.Join(user.problem.Describe(), "\n")
	if os.Getenv(env) != "" {
		os.Stdout.WriteString("<" + text + ">")
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestSolverLoadComparesGraphs$")
	child.Env = append(os.Environ(), env+"=1")
	out, err := child.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "<"+text+">") {
		t.Errorf("described as\n%s\nin another process as\n%s", text, out)
	}

	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := user.wrap(t, SGD(0.1), FSD(1, graph.CategoricalKL)).Save(path); err != nil {
		t.Fatal(err)
	}
	same, other := newConvLoop(t, stockPool), newConvLoop(t, func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return apoops.MaxPool2D(x, apoops.Pool{Kernel: [2]int{2, 2}})
	})
	if err := same.wrap(t, SGD(0.1), FSD(1, graph.CategoricalKL)).Load(path); err != nil {
		t.Error(err)
	}
	s := other.wrap(t, SGD(0.2), FSD(1, graph.CategoricalKL))
	wantError(t, "another graph", s.Load(path), path, "graph[", "lr 0.1, this training has 0.2")
	if err := s.LoadWeights(path); err != nil {
		t.Error(err)
	}
}
