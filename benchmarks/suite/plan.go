package suite

import (
	"fmt"
	"io"
	"slices"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// selection selects the runs of a command.
type selection struct {
	names      []string // experiments or groups; none means all
	scale      experiments.Scale
	optimizers []string // none means the experiment's own
}

// experiments returns the selected experiments, each once.
func (s selection) experiments() ([]*experiments.Experiment, error) {
	if len(s.names) == 0 {
		return experiments.All(), nil
	}
	var all []*experiments.Experiment
	for _, name := range s.names {
		found, err := experiments.Find(name)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if !slices.Contains(all, e) {
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// noScale is the message about an experiment without a scale.
func noScale(s experiments.Scale) string {
	return fmt.Sprintf("not at the scale %s, for which its net is too large", s)
}

// methods returns the methods of an experiment that this version of the library
// supports. It writes a line to w about each of the others.
func (s selection) methods(e *experiments.Experiment, w io.Writer) ([]*methods.Method, error) {
	names := s.optimizers
	if len(names) == 0 {
		names = e.MethodsAt(s.scale)
	}
	var all []*methods.Method
	for _, name := range names {
		m, err := methods.Get(name)
		if err != nil {
			return nil, err
		}
		if !m.Available() {
			fmt.Fprintf(w, "%s: %s is not available: the library has no optimizer %q\n", e.Name, m.Label, m.Needs)
			continue
		}
		all = append(all, m)
	}
	return all, nil
}

// planned is a job with its state in the store.
type planned struct {
	Job
	source string
	weight float64 // approximate seconds of the job, for the progress
	state  state
}

// plan returns the runs of an experiment: for each seed, all methods in turn.
func plan(e *experiments.Experiment, scale experiments.Scale, ms []*methods.Method, seeds int, dir string) ([]planned, error) {
	var jobs []planned
	for seed := 1; seed <= seeds; seed++ {
		for _, m := range ms {
			for _, v := range e.VariantsOf(m.Name, scale) {
				j, source, err := newJob(e, scale, m, v, uint64(seed))
				if err != nil {
					return nil, err
				}
				st, err := stateOf(dir, j)
				if err != nil {
					return nil, err
				}
				jobs = append(jobs, planned{j, source, weight(dir, e, j), st})
			}
		}
	}
	return jobs, nil
}

// weight is the approximate time of a job in seconds: that of other seeds stored in dir
// or, where there are none, that of a first-order method's products plus a constant time
// for each step.
func weight(dir string, e *experiments.Experiment, j Job) float64 {
	if c, ok, err := storedCost(dir, j); ok && err == nil { // whoever needs the file reports what is wrong
		return c.perStep * float64(j.Config.Steps)
	}
	return float64(j.Config.Steps) * (1e-4 + 6e-11*e.Task.Work(j.Config).MultiplyAdds*float64(j.Config.Batch))
}
