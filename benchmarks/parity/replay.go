package parity

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/record"
)

// Replay trains from the fixture's initial weights and φ on the fixture's batches and
// compares the results of each step. An error means that a step could not be taken. At
// a step where loss or gradient of the reference are not finite, the trainer must find
// the same; it does not take the step, and the replay ends.
func Replay(f *Fixture) (*Result, error) {
	tr, err := start(f)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	for t, s := range f.Steps {
		stats, err := tr.StepWith(s.Batch, s.Tilde)
		if err != nil && finite(s.Loss) && allFinite(s.Grad) {
			return nil, err
		}
		r.compare(loss, t, "", []float64{stats.Loss}, s.Loss)
		r.compareAll(grad, t, f.theta, values(tr.LastGradient()), s.Grad)
		if err != nil {
			r.end = fmt.Sprintf("ends at step %d of %d, where loss or gradient are not finite", t, len(f.Steps))
			return r, nil
		}
		if s.Meta != nil {
			r.compareMeta(t, f.phi, tr, stats.Meta, s.Meta)
		}
		if s.Phi != nil {
			r.compareAll(phi, t, f.phi, values(tr.Phi()), s.Phi)
		}
		r.compareAll(theta, t, f.theta, parameters(tr), s.Theta)
	}
	return r, nil
}

// start makes a trainer with the fixture's initial θ and φ.
func start(f *Fixture) (*trainers.Trainer, error) {
	tr, err := trainers.New(f.model, f.loss, f.rule, f.options...)
	if err != nil {
		return nil, err
	}
	if err := assign(parameters(tr), f.theta0); err != nil {
		return nil, errors.WithMessage(err, "theta0")
	}
	if f.phi0 != nil {
		err = errors.WithMessage(assign(values(tr.Phi()), f.phi0), "phi0")
	}
	return tr, err
}

func assign(dst []*tensor.Dense, src [][]float64) error {
	if len(dst) != len(src) {
		return errors.Errorf("the trainer has %d arrays, the fixture %d", len(dst), len(src))
	}
	for i, d := range dst {
		if n := copy(d.Float64s(), src[i]); n != d.DataSize() || n != len(src[i]) {
			return errors.Errorf("array %d has %d elements in the trainer, %d in the fixture", i, d.DataSize(), len(src[i]))
		}
	}
	return nil
}

func (r *Result) compareMeta(t int, list []entry, tr *trainers.Trainer, got *record.MetaStats, want *Meta) {
	r.compare(metaQ, t, "", []float64{got.Q}, want.Q)
	r.compare(metaLoss, t, "", []float64{got.Loss}, want.Loss)
	r.compare(metaFSD, t, "", []float64{got.FSD}, want.FSD)
	r.compare(metaWSD, t, "", []float64{got.WSD}, want.WSD)
	r.compareAll(metaGrad, t, list, values(tr.LastMetaGradient()), want.DPhi)
}

// compareAll compares the arrays of a quantity.
func (r *Result) compareAll(q quantity, t int, list []entry, got []*tensor.Dense, want [][]float64) {
	for i, w := range want {
		var g []float64
		if i < len(got) {
			g = got[i].Float64s()
		}
		r.compare(q, t, list[i].name, g, w)
	}
}

func parameters(tr *trainers.Trainer) []*tensor.Dense {
	var all []*tensor.Dense
	for _, p := range tr.Params() {
		all = append(all, p.Value)
	}
	return all
}

func values(named []trainers.NamedTensor) []*tensor.Dense {
	var all []*tensor.Dense
	for _, n := range named {
		all = append(all, n.Value)
	}
	return all
}
