package dryrun

import (
	"slices"
	"time"

	"github.com/apo-gorgonia/apo/trainers"
)

// Cost is what some steps took.
type Cost struct {
	// Parameters is the number of learned parameters, Arrays the number of arrays that
	// they are in.
	Parameters, Arrays int
	// K is the number of steps from one meta-step to the next, 0 without meta-steps.
	K int
	// Steps are the steps. The first one builds the graphs, and is in no estimate if there
	// are others of its kind.
	Steps []trainers.Stats
	// Memory is the peak of resident memory above what there was before, in bytes; 0 where
	// it is not known.
	Memory int64
}

// Step is the time of a step without its meta-step: the median.
func (c Cost) Step() time.Duration {
	var all []time.Duration
	for _, s := range c.Steps {
		all = append(all, s.BaseTime)
	}
	if len(all) == 0 {
		return 0
	}
	if len(all) > 1 {
		all = all[1:]
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// MetaStep is the time of a meta-step, the last one of those taken; 0 for none.
func (c Cost) MetaStep() (t time.Duration) {
	for _, s := range c.Steps {
		if s.MetaTime > 0 {
			t = s.MetaTime
		}
	}
	return t
}

// Total is the time of so many steps and meta-steps.
func (c Cost) Total(steps, metaSteps int) time.Duration {
	return time.Duration(steps)*c.Step() + time.Duration(metaSteps)*c.MetaStep()
}
