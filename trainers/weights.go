package trainers

import (
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// thetaPrefix begins the names of the parameters in a checkpoint.
const thetaPrefix = "theta/"

func (e *engine) saveWeights(path string, opts []SaveOption) error {
	if e == nil {
		return errNotMade
	}
	return e.onFirst(func() error { return e.writeWeights(path, opts) })
}

func (e *engine) writeWeights(path string, opts []SaveOption) error {
	f, low, err := savedFormat(path, opts)
	if err != nil {
		return err
	}
	if err := e.checkSaved(path, opts); err != nil {
		return err
	}
	var all []NamedTensor
	for _, p := range e.Task.Model {
		all = append(all, NamedTensor{Name: p.Name, Value: p.Value})
	}
	if low {
		return checkpoint.WriteSafetensors16(path, f, all)
	}
	return checkpoint.WriteSafetensors(path, all)
}

// loadWeights takes the parameters from a file, all of them or none.
func (e *engine) loadWeights(path string) error {
	if e == nil {
		return errNotMade
	}
	tensors, err := readWeights(path)
	if err != nil {
		return err
	}
	stored := byName(tensors)
	var wrong checkpoint.Differences
	for _, p := range e.Task.Model {
		switch v := stored[p.Name]; {
		case v == nil:
			wrong = append(wrong, "no parameter "+p.Name)
		case describeArray(v) != describeArray(p.Value):
			wrong = append(wrong, p.Name+" as "+describeArray(v)+", this model has "+describeArray(p.Value))
		}
		delete(stored, p.Name)
	}
	for _, t := range tensors {
		if stored[t.Name] != nil {
			wrong = append(wrong, t.Name+", which this model lacks")
		}
	}
	if wrong != nil {
		return errors.Errorf("trainers: weights %s: %v", path, wrong)
	}
	stored = byName(tensors)
	if err := e.checkRange(func(name string) *tensor.Dense { return stored[name] }); err != nil {
		return errors.WithMessagef(err, "trainers: weights %s", path)
	}
	for _, p := range e.Task.Model {
		array.Copy(p.Value, stored[p.Name])
	}
	e.invalidate()
	e.agreed = false
	return e.Task.Precision.StartWeights(e.Task.Model)
}

// readWeights reads the parameters of a checkpoint or a safetensors file.
func readWeights(path string) ([]NamedTensor, error) {
	whole, err := checkpoint.Recognize(path)
	if err != nil {
		return nil, errors.Wrap(err, "trainers: weights")
	}
	if !whole {
		return checkpoint.ReadSafetensors(path)
	}
	s, err := checkpoint.Read(path)
	if err != nil {
		return nil, err
	}
	var all []NamedTensor
	for _, t := range s.Tensors {
		if name, ok := strings.CutPrefix(t.Name, thetaPrefix); ok {
			all = append(all, NamedTensor{Name: name, Value: t.Value})
		}
	}
	return all, nil
}
