package suite

import (
	"context"
	"fmt"
	"time"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// cost is what a run takes.
type cost struct {
	perStep float64 // seconds, rare work included
	memory  int64   // the peak above program and data in bytes, 0 where it is not known
}

// costs finds the cost of a job with the method's usual settings (wholeJob). ok is false
// where it is not known.
type costs func(ctx context.Context, e *experiments.Experiment, m *methods.Method, j Job) (c cost, ok bool, err error)

// estimate is what all runs of an experiment at a scale take, with listedSeeds seeds.
type estimate struct {
	seconds    float64
	memory     int64    // of the largest run
	known, all int      // methods in all their variants: those whose cost is known, and all
	failed     []string // why some are not known
}

// estimated adds the costs of an experiment's runs. What fails is left out, and named.
func (of costs) estimated(ctx context.Context, e *experiments.Experiment, scale experiments.Scale) (t estimate, err error) {
	for _, name := range e.MethodsAt(scale) {
		m, err := methods.Get(name)
		if err != nil {
			return t, err
		}
		if !m.Available() {
			continue
		}
		for _, v := range e.VariantsOf(name, scale) {
			j, _, err := wholeJob(e, scale, m, v, 1)
			if err != nil {
				return t, err
			}
			c, ok, err := of(ctx, e, m, j)
			if ctx.Err() != nil {
				return t, ctx.Err()
			}
			t.all++
			switch {
			case err != nil:
				t.failed = append(t.failed, fmt.Sprintf("%s: %v", j, err))
			case ok:
				t.known++
				t.seconds += listedSeeds * c.perStep * float64(j.Config.Steps)
				t.memory = max(t.memory, c.memory)
			}
		}
	}
	return t, nil
}

// String is empty where nothing is known.
func (t estimate) String() string {
	if t.known == 0 {
		return ""
	}
	text := "less than 1 s"
	if t.seconds >= 1 {
		text = "about " + duration(time.Duration(t.seconds*float64(time.Second)))
	}
	switch {
	case t.memory >= 1e9:
		text += fmt.Sprintf(" and %.1f GB", float64(t.memory)/1e9)
	case t.memory > 0:
		text += fmt.Sprintf(" and %.0f MB", float64(t.memory)/1e6)
	}
	if t.known < t.all {
		text += fmt.Sprintf(" for %d of %d", t.known, t.all)
	}
	return text
}

// storedCosts are those of the runs in a folder.
func storedCosts(dir string) costs {
	return func(_ context.Context, _ *experiments.Experiment, _ *methods.Method, j Job) (cost, bool, error) {
		return storedCost(dir, j)
	}
}

// storedCost is the mean cost of the finished runs in a folder that differ from a job in
// seed and hyperparameters alone. Without any ok is false.
func storedCost(dir string, j Job) (c cost, ok bool, err error) {
	n := 0
	for seed := range uint64(listedSeeds) {
		j.Seed = seed + 1
		r, err := FindRun(dir, j)
		if err != nil {
			return cost{}, false, err
		}
		if r == nil || r.Done == nil || r.Done.SecondsPerStep <= 0 || !sameText(r.Header.Config, j.Config) {
			continue
		}
		n++
		c.perStep += (r.Done.SecondsPerStep - c.perStep) / float64(n)
		if r.Done.PeakBytes > 0 && r.Done.StartBytes > 0 {
			c.memory = max(c.memory, r.Done.PeakBytes-r.Done.StartBytes)
		}
	}
	return c, n > 0, nil
}
