package trainers

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/average"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/checkpoint/torch"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
)

func (e *engine) saveWeights(path string, opts []SaveOption) error {
	if e == nil {
		return errNotMade
	}
	return e.withEvaluated(func() error {
		return e.onFirst(func() error { return e.writeWeights(path, opts) })
	})
}

func (e *engine) writeWeights(path string, opts []SaveOption) error {
	f, low, err := savedFormat(path, opts)
	if err != nil {
		return err
	}
	if err := e.checkSaved(path, opts); err != nil {
		return err
	}
	if low {
		return checkpoint.WriteSafetensors16(path, f, e.model())
	}
	return checkpoint.WriteSafetensors(path, e.model())
}

// model has the parameters by name.
func (e *engine) model() []NamedTensor {
	var all []NamedTensor
	for _, p := range e.Task.Model {
		all = append(all, NamedTensor{Name: p.Name, Value: p.Value})
	}
	return all
}

func (e *engine) saveTorch(path string, m torch.Map) error {
	if e == nil {
		return errNotMade
	}
	return e.withEvaluated(func() error {
		return e.onFirst(func() error {
			if err := e.checkSaved(path, nil); err != nil {
				return err
			}
			tensors, err := m.Export(e.model())
			if err != nil {
				return errors.WithMessagef(err, "trainers: weights %s", path)
			}
			return checkpoint.WriteSafetensors(path, tensors)
		})
	})
}

// loadWeights takes the parameters from a file.
func (e *engine) loadWeights(path string) error {
	if e == nil {
		return errNotMade
	}
	if err := e.notEvaluating(); err != nil {
		return err
	}
	tensors, err := checkpoint.ReadWeights(path)
	if err != nil {
		return err
	}
	return e.takeWeights(path, tensors)
}

// loadTorch is loadWeights of PyTorch's tensors.
func (e *engine) loadTorch(path string, m torch.Map) error {
	if e == nil {
		return errNotMade
	}
	if err := e.notEvaluating(); err != nil {
		return err
	}
	tensors, err := checkpoint.ReadSafetensors(path)
	if err != nil {
		return err
	}
	weights, err := m.Import(e.model(), tensors)
	if err != nil {
		return errors.WithMessagef(err, "trainers: weights %s", path)
	}
	return e.takeWeights(path, weights)
}

// takeWeights takes the parameters that were read from a file, all of them or none.
func (e *engine) takeWeights(path string, tensors []NamedTensor) error {
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
	if err := e.checkFinite(stored); err != nil {
		return errors.WithMessagef(err, "trainers: weights %s", path)
	}
	if err := e.checkRange(func(name string) *tensor.Dense { return stored[name] }); err != nil {
		return errors.WithMessagef(err, "trainers: weights %s", path)
	}
	for _, p := range e.Task.Model {
		array.Copy(p.Value, stored[p.Name])
	}
	e.agreed = false
	err := e.Task.Precision.StartWeights(e.Task.Model)
	e.Update.Replaced()
	if w := learn.WaitingOf(e.learner); w != nil {
		w.Drop()
	}
	e.average.Restart()
	e.invalidate()
	return err
}

// checkFinite reports the first weight of a file that is NaN or infinite.
func (e *engine) checkFinite(stored map[string]*tensor.Dense) error {
	for _, p := range e.Task.Model {
		v := stored[p.Name]
		if graph.Finite(v) {
			continue
		}
		x, err := NamedTensor{Name: p.Name, Value: v}.Floats()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(x, func(x float64) bool { return !array.IsFinite(x) })
		return ErrNotFinite.Errorf("%s: element %d is %v", p.Name, i, x[i])
	}
	return nil
}

// Averaged evaluates and saves an average of the weights, such as
// average.Exponential(0.999), in the place of the last ones, around every rule: see
// Trainer.Evaluated. Training goes on as without. A rule that has evaluation weights of its
// own, Schedule-Free, is an error.
func Averaged(a average.Average) Option {
	return func(c *config) error {
		c.average = a
		c.give("Averaged")
		return errors.WithMessage(a.Err(), "trainers: Averaged")
	}
}

// startAverage begins the average that the option asks for.
func (e *engine) startAverage() error {
	if !e.c.given["Averaged"] {
		return nil
	}
	if e.Update.Iterates() != nil {
		return errors.Errorf("trainers: Averaged: %s has evaluation weights of its own", e.Optimizer.Name())
	}
	e.average = e.c.average.Start(e.Task.Params)
	return nil
}

// Evaluated calls do while Params have the weights that Evaluate takes and SaveWeights
// writes: those of Averaged or of a rule that has such (Schedule-Free), else the weights as
// they are. Then the training's are there again, bit for bit, whatever do returns and if it
// panics. Within do, steps, checkpoints and loading are errors where the weights are others
// than the training's.
//
// The model's statistics are those of the training. With the weights of a checkpoint
// (LoadWeights) a training goes on, so they are not these; a file of SaveWeights has these.
func (t *Trainer) Evaluated(do func() error) error {
	if t.engine == nil {
		return errNotMade
	}
	return t.engine.withEvaluated(do)
}

// Evaluated is Trainer.Evaluated; the weights are those of the graph's parameters.
func (s *Solver) Evaluated(do func() error) error {
	if s.engine == nil {
		return errNotMade
	}
	return s.engine.withEvaluated(do)
}

func (e *engine) withEvaluated(do func() error) error {
	var of interface{ Evaluated(to []*tensor.Dense) }
	if it := e.Update.Iterates(); it != nil {
		of = it
	} else if e.average != nil {
		of = e.average
	}
	if of == nil || e.evaluating {
		return do()
	}
	if e.evaluated == nil {
		e.evaluated = array.ZerosLike(e.Task.Params)
	}
	of.Evaluated(e.evaluated)
	e.swapEvaluated()
	defer e.swapEvaluated()
	return do()
}

// swapEvaluated exchanges the weights with those in their place.
func (e *engine) swapEvaluated() {
	e.evaluating = !e.evaluating
	for i, p := range e.Task.Params {
		array.Swap(p.Value, e.evaluated[i])
	}
}

// notEvaluating reports what cannot be done within Evaluated.
func (e *engine) notEvaluating() error {
	if e.evaluating {
		return errors.New("trainers: within Evaluated there are no steps, no checkpoints and no loading: the weights are not those of the training")
	}
	return nil
}
