package selftune

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// options are the flags of run and report.
type options struct {
	scaleName, optimizerList, taskList, startList string
	dir                                           string
	mostSeeds, configs                            int
	jobs                                          int    // of run
	redo                                          bool   // of run
	out                                           string // of report
	limit                                         float64

	scale       experiments.Scale
	competitors []competitor
	tasks       []experiments.SelfTuningTask // held out
	starts      []start
}

func (o *options) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.StringVar(&o.scaleName, "scale", "small", "scale of the tasks: smoke or small")
	f.StringVar(&o.optimizerList, "optimizers", "", "methods, separated by commas (default: all, some at the scale smoke)")
	f.StringVar(&o.taskList, "tasks", "", "held-out tasks, separated by commas (default: all, some that need no files at the scale smoke)")
	f.StringVar(&o.startList, "starts", "best,low,high", "initial rates, separated by commas: best for the configuration's, low and high for 1e-3 and 30 times it")
	f.StringVar(&o.dir, "out", "results-selftune", "folder of the results")
	f.IntVar(&o.mostSeeds, "seeds", 0, "most runs of a configuration from a start, with seeds 1, 2, ... (default: 10 on short tasks, 3 on long ones, 1 at the scale smoke)")
	if name == runName {
		f.IntVar(&o.configs, "configs", 0, "number of configurations that are tried, of each method on the tuning tasks and of NAdamW for each target (default: 8, 2 at the scale smoke)")
		f.IntVar(&o.jobs, "jobs", 1, "number of parallel runs; with more than one their times are not comparable")
		f.BoolVar(&o.redo, "redo", false, "replace results that have other settings")
		return f
	}
	f.StringVar(&o.out, "report", "", "folder of the report (default: report in the folder of the results)")
	f.Float64Var(&o.limit, "limit", 4, "T, the end of the profiles")
	return f
}

// The bounds of the flags.
const (
	maxSeeds   = 1000
	maxConfigs = 1000
	maxJobs    = 1024
	maxLimit   = 1000
)

// check checks the flags of a subcommand and decodes those that are lists.
func (o *options) check(name string) (err error) {
	if o.scale, err = experiments.ParseScale(o.scaleName); err != nil || o.scale == experiments.Paper {
		return errors.Errorf("-scale %q must be smoke or small", o.scaleName)
	}
	if o.scale == experiments.Smoke {
		o.smoke()
	}
	if o.competitors, err = chosenCompetitors(o.optimizerList); err != nil {
		return errors.WithMessage(err, "-optimizers")
	}
	if o.tasks, err = heldOut(o.taskList); err != nil {
		return errors.WithMessage(err, "-tasks")
	}
	if o.starts, err = pick(o.startList, starts, func(s start) string { return s.name }); err != nil {
		return errors.WithMessage(err, "-starts")
	}
	if o.mostSeeds < 0 || o.mostSeeds > maxSeeds {
		return errors.Errorf("-seeds %d must be from 1 to %d", o.mostSeeds, maxSeeds)
	}
	if o.dir == "" {
		return errors.New("-out must not be empty")
	}
	if info, err := os.Stat(o.dir); err == nil && !info.IsDir() {
		return errors.Errorf("-out: %s is not a folder", o.dir)
	}
	if name == runName {
		return o.checkRun()
	}
	return o.checkReport()
}

// smoke fills what is not given with little work.
func (o *options) smoke() {
	o.optimizerList = cmp.Or(o.optimizerList, "nadamw-cosine,prodigy-cosine,adam-apo-calibrated")
	o.taskList = cmp.Or(o.taskList, "selftune-illcond,selftune-lenet,selftune-transformer")
	o.mostSeeds, o.configs = cmp.Or(o.mostSeeds, 1), cmp.Or(o.configs, 2)
}

func (o *options) checkRun() error {
	o.configs = cmp.Or(o.configs, 8)
	if o.configs < 1 || o.configs > maxConfigs {
		return errors.Errorf("-configs %d must be from 1 to %d", o.configs, maxConfigs)
	}
	if o.jobs < 1 || o.jobs > maxJobs {
		return errors.Errorf("-jobs %d must be from 1 to %d", o.jobs, maxJobs)
	}
	return nil
}

func (o *options) checkReport() error {
	if !(o.limit > 1 && o.limit <= maxLimit) {
		return errors.Errorf("-limit %v must be above 1 and at most %d", o.limit, maxLimit)
	}
	if o.out == "" {
		o.out = filepath.Join(o.dir, "report")
	}
	if info, err := os.Stat(o.out); err == nil && !info.IsDir() {
		return errors.Errorf("-report: %s is not a folder", o.out)
	}
	return nil
}

// heldOut are the named tasks that are held out, or all for an empty list.
func heldOut(list string) ([]experiments.SelfTuningTask, error) {
	var all []experiments.SelfTuningTask
	for _, t := range experiments.SelfTuning() {
		if !t.Tuning {
			all = append(all, t)
		}
	}
	if list == "" {
		return all, nil
	}
	return pick(list, all, func(t experiments.SelfTuningTask) string { return t.Name })
}

// tuningTasks are those on which configurations are chosen.
func tuningTasks() (all []experiments.SelfTuningTask) {
	for _, t := range experiments.SelfTuning() {
		if t.Tuning {
			all = append(all, t)
		}
	}
	return all
}
