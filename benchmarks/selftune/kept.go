package selftune

import (
	"maps"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// keptCalibration is the calibrated configuration that a method's stored runs on the
// held-out tasks have, where none of its trials is stored: the command store keeps runs and
// no trials. It is nil where the configuration is to be searched.
func (o *options) keptCalibration(c competitor, trials []suite.Job) (methods.Values, error) {
	all, err := heldOut("")
	if err != nil {
		return nil, err
	}
	usual := entry{c, calibrated}.variant(start{factor: 1})
	var jobs []suite.Job
	for _, t := range all {
		jobs = append(jobs, o.seedsOf(t, c, usual)...)
	}
	return o.kept(trials, jobs)
}

// keptReference is the same for the target of a task.
func (o *options) keptReference(t experiments.SelfTuningTask, nadamw competitor, trials []suite.Job) (methods.Values, error) {
	return o.kept(trials, o.seedsOf(t, nadamw, reference))
}

// seedsOf are the names of a method's runs on a task, with all seeds that it may have.
func (o *options) seedsOf(t experiments.SelfTuningTask, c competitor, variant string) (all []suite.Job) {
	for seed := 1; seed <= t.Seeds; seed++ {
		all = append(all, suite.Job{Experiment: t.Name, Scale: o.scale, Method: c.Name, Variant: variant, Seed: uint64(seed)})
	}
	return all
}

// kept are the common values of stored runs if no trial is stored.
func (o *options) kept(trials, runs []suite.Job) (v methods.Values, err error) {
	if o.redo {
		return nil, nil
	}
	for _, j := range trials {
		if r, err := suite.FindRun(o.dir, j); err != nil || r != nil {
			return nil, err
		}
	}
	for _, j := range runs {
		r, err := suite.FindRun(o.dir, j)
		switch {
		case err != nil:
			return nil, err
		case r == nil:
		case v == nil:
			v = r.Header.Values
		case !maps.Equal(v, r.Header.Values):
			return nil, errors.Errorf("%s: its values %v differ from %v of other runs; -redo replaces them", j, r.Header.Values, v)
		}
	}
	return v, nil
}
