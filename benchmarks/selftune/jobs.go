package selftune

import (
	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

const (
	// warmUpPart is the part of a run in which rates rise, where they do.
	warmUpPart = 0.05
	// referencePart is the part of a run's steps that tuned NAdamW has.
	referencePart = 2. / 3
	// searchSeed is the one from which configurations are drawn.
	searchSeed = 1
)

// The variants of jobs that are no entry's.
const (
	reference   = "reference"
	calibration = "calibration"
)

// job is a run of a method on a task. The caller sets Variant, Seed and Trial.
func (o *options) job(t experiments.SelfTuningTask, c competitor, v methods.Values) (suite.Job, error) {
	config := t.Scales[o.scale]
	config.Decay = methods.Decay{Cosine: true}
	if c.warmUp {
		config.Decay.WarmUp = int(warmUpPart * float64(config.Steps))
	}
	config.DecayAll = c.scheduled
	j := suite.Job{Experiment: t.Name, Scale: o.scale, Method: c.Name, Values: v, Config: config}
	if c.Base == "" {
		return j, nil
	}
	base, err := methods.Get(c.Base)
	if err != nil {
		return j, err
	}
	space, err := base.SearchSpace("")
	if err != nil {
		return j, err
	}
	j.Rate = space.Defaults()["lr"]
	return j, nil
}

// from multiplies the initial rates of a job.
func from(j suite.Job, c competitor, s start) suite.Job {
	v := make(methods.Values, len(j.Values))
	for name, x := range j.Values {
		v[name] = x
	}
	for _, name := range c.rates {
		v[name] *= s.factor
	}
	j.Values, j.Rate = v, j.Rate*s.factor
	return j
}

// trial is a job of configuration i of a method.
func (o *options) trial(t experiments.SelfTuningTask, c competitor, variant string, i int) (suite.Job, error) {
	space, err := c.SearchSpace("")
	if err != nil {
		return suite.Job{}, err
	}
	j, err := o.job(t, c, space.Sample(c.Name, searchSeed, i))
	j.Variant, j.Trial, j.Seed = variant, i+1, suite.FirstTuningSeed
	return j, err
}

// shortened gives a job the steps of the reference.
func shortened(j suite.Job) suite.Job {
	j.Config.Steps = int(referencePart * float64(j.Config.Steps))
	j.Config.Decay.WarmUp = int(warmUpPart * float64(j.Config.Steps))
	return j
}

// trials are the configurations of a method on a task, each once.
func (o *options) trials(t experiments.SelfTuningTask, c competitor) (all []suite.Job, err error) {
	for i := range o.configs {
		j, err := o.trial(t, c, calibration, i)
		if err != nil {
			return nil, err
		}
		all = append(all, j)
	}
	return all, nil
}

// allTrials are those on several tasks.
func (o *options) allTrials(tasks []experiments.SelfTuningTask, c competitor) (all []suite.Job, err error) {
	for _, t := range tasks {
		trials, err := o.trials(t, c)
		if err != nil {
			return nil, err
		}
		all = append(all, trials...)
	}
	return all, nil
}

// referenceTrials are the configurations of NAdamW for a task's target.
func (o *options) referenceTrials(t experiments.SelfTuningTask, nadamw competitor) (all []suite.Job, err error) {
	for i := range o.configs {
		j, err := o.trial(t, nadamw, reference, i)
		if err != nil {
			return nil, err
		}
		all = append(all, shortened(j))
	}
	return all, nil
}

// runs are the jobs of an entry on a task with a seed: one for each start that differs.
func (o *options) runs(t experiments.SelfTuningTask, e entry, v methods.Values, seed int) (all []suite.Job, err error) {
	j, err := o.job(t, e.competitor, v)
	if err != nil {
		return nil, err
	}
	j.Seed = uint64(seed)
	for i, s := range o.starts {
		if i > 0 && !e.competitor.starts() {
			break
		}
		from := from(j, e.competitor, s)
		from.Variant = e.variant(s)
		all = append(all, from)
	}
	return all, nil
}

// seeds is the number of runs of each entry on a task.
func (o *options) seeds(t experiments.SelfTuningTask) int {
	if o.mostSeeds > 0 {
		return min(o.mostSeeds, t.Seeds)
	}
	return t.Seeds
}
