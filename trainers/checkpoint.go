package trainers

import (
	"encoding/json"
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// checkpointMeta is the JSON document of a checkpoint.
type checkpointMeta struct {
	Optimizer       string          `json:"optimizer"`
	Settings        json.RawMessage `json:"settings"`
	Learner         string          `json:"learner,omitempty"`
	LearnerSettings json.RawMessage `json:"learner_settings,omitempty"`
	K               int             `json:"k"`
	LinearRate      bool            `json:"linear_rate,omitempty"`
	Seed            uint64          `json:"seed"`
	Steps           int             `json:"steps"`
	Skipped         int             `json:"skipped"`
	// Environment is environment() of the process that wrote it.
	Environment map[string]string `json:"environment,omitempty"`
}

func (e *engine) metaDocument() (checkpointMeta, error) {
	m := checkpointMeta{Optimizer: e.o.Name(), K: e.c.k, LinearRate: e.c.linear, Seed: e.c.seed, Steps: e.steps, Skipped: e.skipped, Environment: environment()}
	var err error
	if m.Settings, err = json.Marshal(e.o); err != nil {
		return m, errors.Wrap(err, "trainers: optimizer settings")
	}
	if e.learner != nil {
		var settings any
		m.Learner, settings = e.learner.describe()
		m.LearnerSettings, err = json.Marshal(settings)
	}
	return m, errors.Wrap(err, "trainers: settings of the learner")
}

// tensors are all arrays that a step depends on, without B'.
func (e *engine) tensors() []NamedTensor {
	var all []NamedTensor
	add := func(group string, list []NamedTensor) {
		for _, t := range list {
			all = append(all, NamedTensor{Name: group + "/" + t.Name, Value: t.Value})
		}
	}
	for _, p := range e.params {
		all = append(all, NamedTensor{Name: "theta/" + p.Name, Value: p.Value})
	}
	add("state", e.form.state())
	add("phi", e.form.phi())
	if e.learner != nil {
		add("meta", e.learner.state())
	}
	return all
}

// save writes the checkpoint.
func (e *engine) save(path string, opts []SaveOption) error {
	if err := e.checkSaved(path, opts); err != nil {
		return err
	}
	doc, err := e.metaDocument()
	if err != nil {
		return err
	}
	s := &Snapshot{Tensors: e.tensors()}
	if s.Meta, err = json.Marshal(doc); err != nil {
		return errors.Wrap(err, "trainers: checkpoint")
	}
	for i, b := range e.kept {
		for j, x := range b {
			s.Tensors = append(s.Tensors, NamedTensor{Name: keptName(i, j), Value: x})
		}
	}
	return WriteSnapshot(path, s)
}

// load restores a checkpoint of the same training, all of it or nothing.
func (e *engine) load(path string) error {
	s, err := ReadSnapshot(path)
	if err != nil {
		return err
	}
	var doc checkpointMeta
	if err := json.Unmarshal(s.Meta, &doc); err != nil {
		return errors.Wrapf(err, "trainers: checkpoint %s", path)
	}
	if err := e.matches(doc); err != nil {
		return errors.WithMessagef(err, "trainers: checkpoint %s", path)
	}
	stored := make(map[string]*tensor.Dense, len(s.Tensors))
	for _, t := range s.Tensors {
		stored[t.Name] = t.Value
	}
	own := e.tensors()
	for _, t := range own {
		v, ok := stored[t.Name]
		switch {
		case !ok:
			return errors.Errorf("trainers: checkpoint %s has no %q", path, t.Name)
		case v.Dtype() != t.Value.Dtype() || !v.Shape().Eq(t.Value.Shape()):
			return errors.Errorf("trainers: checkpoint %s has %q as %v of shape %v; this training has %v of shape %v", path, t.Name, v.Dtype(), v.Shape(), t.Value.Dtype(), t.Value.Shape())
		}
	}
	e.kept = nil
	for i := 0; stored[keptName(i, 0)] != nil; i++ {
		var b []*tensor.Dense
		for j := 0; stored[keptName(i, j)] != nil; j++ {
			b = append(b, stored[keptName(i, j)])
		}
		e.kept = append(e.kept, b)
	}
	for _, t := range own {
		overwrite(t.Value, stored[t.Name])
	}
	e.forget()
	e.steps, e.skipped = doc.Steps, doc.Skipped
	e.loaded = environmentNotes(doc.Environment)
	return nil
}

// keptName names input j of the i-th mini-batch that was kept.
func keptName(i, j int) string { return fmt.Sprintf("kept/%d/%d", i, j) }

// matches compares what a resumed run must have in common with the stopped one.
func (e *engine) matches(doc checkpointMeta) error {
	own, err := e.metaDocument()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		what           string
		stored, wanted any
	}{
		{"optimizer", doc.Optimizer, own.Optimizer},
		{"optimizer settings", string(doc.Settings), string(own.Settings)},
		{"learner", doc.Learner, own.Learner},
		{"learner's settings", string(doc.LearnerSettings), string(own.LearnerSettings)},
		{"K", doc.K, own.K},
		{"linear rate", doc.LinearRate, own.LinearRate},
		{"seed", doc.Seed, own.Seed},
	} {
		if f.stored != f.wanted {
			return errors.Errorf("written with %s %v; this training has %v", f.what, f.stored, f.wanted)
		}
	}
	return nil
}

func overwrite(dst, src *tensor.Dense) {
	switch dst.Dtype() {
	case tensor.Float32:
		copy(dst.Float32s(), src.Float32s())
	case tensor.Float64:
		copy(dst.Float64s(), src.Float64s())
	default:
		copy(dst.Uint64s(), src.Uint64s())
	}
}

// Save writes a checkpoint: weights, the model's statistics, optimizer state, φ,
// the learner's state, B' and the step's number. It is written beside path and then
// renamed, so that path always holds a complete checkpoint. Weights or φ that are
// not finite are an error (ErrNotFinite) without EvenNotFinite.
func (t *Trainer) Save(path string, opts ...SaveOption) error { return t.engine.save(path, opts) }

// Load restores a checkpoint written by a trainer of the same model, optimizer,
// learner (the settings of Meta or Calibrated), K and seed. The steps that follow are those of a run never stopped, bit for
// bit, if data, λ and schedules are functions of the step's number. Where another
// BLAS wrote it, Notes says so. After an error the trainer is as before.
func (t *Trainer) Load(path string) error { return t.engine.load(path) }

// SaveWeights writes the weights and the model's statistics alone, as a
// safetensors file. It refuses what Save refuses.
func (t *Trainer) SaveWeights(path string, opts ...SaveOption) error {
	if err := t.engine.checkSaved(path, opts); err != nil {
		return err
	}
	var all []NamedTensor
	for _, p := range t.engine.params {
		all = append(all, NamedTensor{Name: p.Name, Value: p.Value})
	}
	return WriteSafetensors(path, all)
}

// Save writes a checkpoint, as Trainer.Save does.
func (s *Solver) Save(path string, opts ...SaveOption) error { return s.engine.save(path, opts) }

// Load restores a checkpoint, as Trainer.Load does; the weights go to the
// graph's parameters.
func (s *Solver) Load(path string) error { return s.engine.load(path) }
