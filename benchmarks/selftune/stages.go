package selftune

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// run makes all runs that are not stored: calibrations first, for they decide the
// settings of others, then the targets' runs and those of the entries.
func (o *options) run(ctx context.Context, stdout, stderr io.Writer) (int, error) {
	b, err := suite.OpenBatch(ctx, o.dir, o.jobs, o.redo, stderr)
	if err != nil {
		return exitFailed, err
	}
	defer b.Close()
	settings, err := o.calibrate(ctx, b, stdout)
	if err != nil {
		return exitFailed, err
	}
	if err := o.makeReferences(ctx, b, stdout); err != nil {
		return exitFailed, err
	}
	jobs, err := o.entryJobs(settings)
	if err != nil {
		return exitFailed, err
	}
	fmt.Fprintf(stdout, "%d runs of %d methods on %d tasks\n", len(jobs), len(o.competitors), len(o.tasks))
	if err := b.Run(ctx, jobs, "self-tuning"); err != nil {
		return exitFailed, err
	}
	if len(b.Missing) > 0 {
		fmt.Fprintf(stdout, "not run, the data set is missing: %s\n", strings.Join(b.Missing, ", "))
	}
	switch {
	case b.Failed > 0:
		return exitFailed, errors.Errorf("%d runs failed", b.Failed)
	case b.Kept > 0:
		return exitFailed, errors.Errorf("%d results have other settings and were kept; -redo replaces them", b.Kept)
	case len(b.Missing) > 0:
		return exitMissing, nil
	}
	return exitOK, nil
}

// setting are the values of an entry by its name.
type setting map[string]methods.Values

// calibrate tries the configurations of all methods and returns the entries' values.
func (o *options) calibrate(ctx context.Context, b *suite.Batch, stdout io.Writer) (setting, error) {
	tasks := tuningTasks()
	kept := make(map[string]methods.Values)
	var jobs []suite.Job
	for _, c := range o.competitors {
		trials, err := o.allTrials(tasks, c)
		if err != nil {
			return nil, err
		}
		if kept[c.Name], err = o.keptCalibration(c, trials); err != nil {
			return nil, err
		}
		if kept[c.Name] == nil {
			jobs = append(jobs, trials...)
		}
	}
	searched := len(jobs) / max(1, o.configs*len(tasks))
	fmt.Fprintf(stdout, "%d configurations of %d methods on %d tuning tasks; %d methods have the configuration of their stored runs\n",
		o.configs, searched, len(tasks), len(o.competitors)-searched)
	if err := b.Run(ctx, jobs, "search"); err != nil {
		return nil, err
	}
	all := make(setting)
	for _, e := range entriesOf(o.competitors) {
		v, err := e.defaults()
		if err == nil && e.config == calibrated {
			if v = kept[e.Name]; v == nil {
				v, err = o.calibratedValues(tasks, e.competitor)
			}
		}
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, errors.Errorf("%s has no calibrated configuration, for not all of its trials are stored", e.Name)
		}
		all[e.label()] = v
	}
	return all, nil
}

// makeReferences tunes NAdamW for each held-out task and runs the best with all seeds.
func (o *options) makeReferences(ctx context.Context, b *suite.Batch, stdout io.Writer) error {
	nadamw, err := referenceMethod()
	if err != nil {
		return err
	}
	for _, t := range o.tasks {
		if slices.Contains(b.Missing, t.Name) {
			continue
		}
		fmt.Fprintf(stdout, "%s: the target, by %s\n", t.Name, nadamw.Label)
		trials, err := o.referenceTrials(t, nadamw)
		if err != nil {
			return err
		}
		v, err := o.keptReference(t, nadamw, trials)
		if err != nil {
			return err
		}
		if v == nil {
			if err := b.Run(ctx, trials, "search"); err != nil {
				return err
			}
			if v, err = lowest(o.dir, t, trials); err != nil {
				return err
			}
		}
		if v == nil { // failed or without data, which the runner has reported
			continue
		}
		jobs, err := o.referenceRuns(t, nadamw, v)
		if err != nil {
			return err
		}
		if err := b.Run(ctx, jobs, fmt.Sprintf("tuned on the task, %d configurations", o.configs)); err != nil {
			return err
		}
	}
	return nil
}

// referenceMethod is the method that sets targets.
func referenceMethod() (competitor, error) {
	all, err := competitors()
	if err != nil {
		return competitor{}, err
	}
	return all[0], nil
}

func (o *options) referenceRuns(t experiments.SelfTuningTask, nadamw competitor, v methods.Values) (all []suite.Job, err error) {
	j, err := o.job(t, nadamw, v)
	j = shortened(j)
	j.Variant = reference
	for seed := 1; seed <= o.seeds(t); seed++ {
		j.Seed = uint64(seed)
		all = append(all, j)
	}
	return all, err
}

// entryJobs are the runs of all entries: the first seed of all tasks, then the second, so
// that an interrupted command leaves complete comparisons.
func (o *options) entryJobs(settings setting) (all []suite.Job, err error) {
	most := 0
	for _, t := range o.tasks {
		most = max(most, o.seeds(t))
	}
	for seed := 1; seed <= most; seed++ {
		for _, t := range o.tasks {
			if seed > o.seeds(t) {
				continue
			}
			for _, e := range entriesOf(o.competitors) {
				jobs, err := o.runs(t, e, settings[e.label()], seed)
				if err != nil {
					return nil, err
				}
				all = append(all, jobs...)
			}
		}
	}
	return all, nil
}
