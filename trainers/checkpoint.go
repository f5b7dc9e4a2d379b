package trainers

import (
	"encoding/json"
	"fmt"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/environment"
	"github.com/apo-gorgonia/apo/trainers/precision"
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
	// Scaler is the state of the loss scale of a training in 16 bits.
	Scaler *precision.Scaler `json:"scaler,omitempty"`
	// Left counts the steps that were left out beside those that Scaler counts; nil for none.
	Left *skips `json:"skipped_steps,omitempty"`
	// Version is the least version of this program's documents that has all that is in this
	// one; before there were others, 0.
	Version int `json:"version,omitempty"`
	// Run has further settings by name: engine.description.
	Run map[string]any `json:"run,omitempty"`
	// Environment is environment.Of of the process that wrote it.
	Environment map[string]string `json:"environment,omitempty"`
}

// metaVersion counts what later programs write that this one would not understand. Since
// leftVersion there is Left: an earlier program would go on with wrong numbers of steps.
const (
	firstVersion = 1
	leftVersion  = 2
	metaVersion  = leftVersion
)

func (e *engine) metaDocument() (checkpointMeta, error) {
	m := checkpointMeta{
		Optimizer: e.Optimizer.Name(), K: e.c.K, LinearRate: e.c.Linear, Seed: e.c.seed, Steps: e.steps, Skipped: e.skipped,
		Scaler:  e.Task.Precision.Scaler(),
		Version: firstVersion, Environment: environment.Of(),
	}
	if e.left.Total > 0 {
		left := e.left
		m.Left, m.Version = &left, leftVersion
	}
	var err error
	if m.Run, err = e.description(); err != nil {
		return m, err
	}
	if m.Settings, err = json.Marshal(e.Optimizer); err != nil {
		return m, errors.Wrap(err, "trainers: optimizer settings")
	}
	if e.learner != nil {
		var settings any
		m.Learner, settings = e.learner.Describe()
		m.LearnerSettings, err = json.Marshal(settings)
	}
	return m, errors.Wrap(err, "trainers: settings of the learner")
}

// tensors are all arrays that a step depends on, without B'.
func (e *engine) tensors() []NamedTensor {
	var all []NamedTensor
	add := func(group string, list []NamedTensor) {
		for _, t := range list {
			t.Name = group + "/" + t.Name
			all = append(all, t)
		}
	}
	for _, p := range e.Task.Model {
		all = append(all, NamedTensor{Name: checkpoint.WeightPrefix + p.Name, Value: p.Value})
	}
	add("state", e.Update.State())
	add("phi", e.Update.Phi())
	if e.learner != nil {
		add("meta", e.learner.State())
	}
	add("average", e.average.State())
	return all
}

// save writes the checkpoint.
func (e *engine) save(path string, opts []SaveOption) error {
	if e == nil {
		return errNotMade
	}
	if err := e.notEvaluating(); err != nil {
		return err
	}
	return e.onFirst(func() error { return e.write(path, opts) })
}

func (e *engine) write(path string, opts []SaveOption) error {
	f, low, err := savedFormat(path, opts)
	if err != nil {
		return err
	}
	if low {
		return errors.Errorf("trainers: %s is not written: a checkpoint has its run's own dtype, only SaveWeights takes %v", path, f)
	}
	if err := e.checkSaved(path, opts); err != nil {
		return err
	}
	doc, err := e.metaDocument()
	if err != nil {
		return err
	}
	s := &checkpoint.Snapshot{Tensors: e.tensors()}
	if s.Meta, err = json.Marshal(doc); err != nil {
		return errors.Wrap(err, "trainers: checkpoint")
	}
	for i, b := range e.kept {
		for j, x := range b {
			s.Tensors = append(s.Tensors, NamedTensor{Name: keptName(i, j), Value: x})
		}
	}
	return checkpoint.Write(path, s)
}

// keptPrefix begins the names of the mini-batches that were kept.
const keptPrefix = "kept/"

// keptName names input j of the i-th mini-batch that was kept.
func keptName(i, j int) string { return fmt.Sprintf(keptPrefix+"%d/%d", i, j) }
