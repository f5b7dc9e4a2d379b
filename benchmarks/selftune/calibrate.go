package selftune

import (
	"math"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// lowest is the configuration with the lowest value of its stored trial, or nil if none is
// stored.
func lowest(dir string, t experiments.SelfTuningTask, trials []suite.Job) (methods.Values, error) {
	values, err := valuesOf(dir, t, trials)
	if err != nil || values == nil {
		return nil, err
	}
	best := 0
	for i, v := range values {
		if v < values[best] {
			best = i
		}
	}
	return trials[best].Values, nil
}

// calibratedValues is the configuration of a method with the lowest mean of its ranks on the
// tuning tasks, among its own configurations; of equal ones the first, the defaults before
// all others. It is nil if a trial is not stored.
func (o *options) calibratedValues(tasks []experiments.SelfTuningTask, c competitor) (methods.Values, error) {
	ranks := make([]int, o.configs)
	var trials []suite.Job
	for _, t := range tasks {
		var err error
		if trials, err = o.trials(t, c); err != nil {
			return nil, err
		}
		values, err := valuesOf(o.dir, t, trials)
		if err != nil || values == nil {
			return nil, err
		}
		for i, r := range doubledRanks(values) {
			ranks[i] += r
		}
	}
	best := 0
	for i, r := range ranks {
		if r < ranks[best] {
			best = i
		}
	}
	return trials[best].Values, nil
}

// valuesOf are the best values of stored trials: nil if one is missing.
func valuesOf(dir string, t experiments.SelfTuningTask, trials []suite.Job) ([]float64, error) {
	var values []float64
	for _, j := range trials {
		run, err := suite.Stored(dir, j)
		if err != nil || run == nil {
			return nil, err
		}
		v := bestValue(t.Measure, run)
		if run.Done.DivergedAt != nil {
			v = math.Inf(1)
		}
		values = append(values, v)
	}
	return values, nil
}

// defaults are the authors' values of a method.
func (c competitor) defaults() (methods.Values, error) {
	space, err := c.SearchSpace("")
	return space.Defaults(), err
}
