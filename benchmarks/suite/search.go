package suite

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// search tunes the methods of each experiment in turn, the optimizers whose
// rates others start from first.
func (c *tuneCommand) search(ctx context.Context, r *runner, stdout io.Writer) (unavailable bool, err error) {
	es, err := c.experiments()
	if err != nil {
		return false, err
	}
	for _, e := range es {
		if why := c.untuned(e); why != "" {
			fmt.Fprintf(stdout, "%s: %s\n", e.Name, why)
			continue
		}
		var notes strings.Builder
		ms, err := c.methods(e, &notes)
		if err != nil {
			return unavailable, err
		}
		fmt.Fprint(stdout, notes.String())
		unavailable = unavailable || notes.Len() > 0
		for _, based := range []bool{false, true} {
			for _, m := range ms {
				if (m.Base != "") != based {
					continue
				}
				if err := c.method(ctx, r, e, m, stdout); err != nil {
					return unavailable, err
				}
			}
		}
	}
	return unavailable, nil
}

// untuned tells why an experiment is not tuned, "" for one that is.
func (c *tuneCommand) untuned(e *experiments.Experiment) string {
	switch _, ok := e.Scales[c.scale]; {
	case len(e.Methods) == 0 || e.TimedAt(c.scale):
		return "nothing to tune"
	case !ok:
		return noScale(c.scale)
	case len(e.TunedAs) > 0 && !slices.Contains(c.names, e.Name):
		return "not tuned unless it is named alone; it takes the settings of " + strings.Join(e.TunedAs, " or ")
	}
	return ""
}

// method searches for one method and stores the winner.
func (c *tuneCommand) method(ctx context.Context, r *runner, e *experiments.Experiment, m *methods.Method, stdout io.Writer) error {
	trials, err := c.trials(e, m)
	if err != nil {
		return err
	}
	var todo []planned
	for _, j := range trials {
		st, err := stateOf(r.dir, j)
		if err != nil {
			return err
		}
		if st == other { // another space or seed: the trial is a new one
			if err := remove(r.dir, j); err != nil {
				return err
			}
			st = absent
		}
		if st != finished {
			todo = append(todo, planned{j, "search", weight(e, m, j.Config), st})
		}
	}
	if err := r.do(ctx, todo); err != nil {
		return err
	}
	w, err := c.best(r, trials)
	if err != nil {
		return err
	}
	if w == nil {
		fmt.Fprintf(stdout, "%s %s %s: no winner of %d configurations\n", e.Name, c.scale, m.Name, c.configs)
		return nil
	}
	result := fmt.Sprintf("training loss %.4g", w.Loss)
	if w.Accuracy > 0 {
		result = fmt.Sprintf("validation accuracy %.2f%%, %s", 100*w.Accuracy, result)
	}
	fmt.Fprintf(stdout, "%s %s %s: %s with %v\n", e.Name, c.scale, m.Name, result, w.Values)
	w.Configs, w.Command, w.Commit = c.configs, c.record(e, m), r.commit
	for _, dir := range []string{c.tunedDir(), c.save} {
		if dir == "" {
			continue
		}
		if err := storeWinner(dir, e.Name, string(c.scale), m.Name, *w); err != nil {
			return err
		}
	}
	return nil
}

// record is the command that makes this search again.
func (c *tuneCommand) record(e *experiments.Experiment, m *methods.Method) string {
	return fmt.Sprintf("go run ./benchmarks tune %s -scale %s -optimizers %s -configs %d -seeds %d -seed %d",
		e.Name, c.scale, m.Name, c.configs, c.seeds, c.drawSeed)
}

func (c *tuneCommand) tunedDir() string { return filepath.Join(c.dir, "tuned") }

// trials are all runs of a method's search.
func (c *tuneCommand) trials(e *experiments.Experiment, m *methods.Method) ([]Job, error) {
	space, err := m.SearchSpace(e.Spaces)
	if err != nil {
		return nil, err
	}
	v := e.VariantsOf(m.Name)[0]
	rate, err := initialRate(e, c.scale, m, v)
	if err != nil {
		return nil, err
	}
	if found, err := readWinners(c.tunedDir(), e.Name, string(c.scale)); err != nil {
		return nil, err
	} else if w, ok := found[m.Base]; ok {
		rate = w.Values["lr"] * v.Factor
	}
	var jobs []Job
	for i := range c.configs {
		for k := range c.seeds {
			jobs = append(jobs, Job{
				Experiment: e.Name, Scale: c.scale, Method: m.Name, Variant: v.Name, Seed: uint64(firstTuningSeed + k),
				Values: space.Sample(m.Name, c.drawSeed, i), Rate: rate, Config: e.Trial(c.scale), Trial: i + 1,
			})
		}
	}
	return jobs, nil
}

// result is what a configuration's trials gave: medians over the seeds.
type result struct {
	values         methods.Values
	loss, accuracy float64
}

// best is the winner of a search: the configuration with the lowest training loss
// or, where the trials have a validation set, with the highest accuracy there, the
// other one being kept beside it. It is nil if all diverged or were not run.
func (c *tuneCommand) best(r *runner, trials []Job) (*methods.Winner, error) {
	var all []result
	for lo := 0; lo < len(trials); lo += c.seeds {
		of, err := c.result(r, trials[lo:lo+c.seeds])
		if err != nil {
			return nil, err
		}
		if of.loss < maxLoss {
			all = append(all, of)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	byLoss := slices.MinFunc(all, func(a, b result) int { return cmp.Compare(a.loss, b.loss) })
	if trials[0].Config.Validation == 0 {
		return &methods.Winner{Values: byLoss.values, Loss: byLoss.loss}, nil
	}
	best := slices.MaxFunc(all, func(a, b result) int { return cmp.Compare(a.accuracy, b.accuracy) })
	return &methods.Winner{Values: best.values, Loss: best.loss, Accuracy: best.accuracy, ByLoss: byLoss.values}, nil
}

// result has the loss +Inf for trials that diverged, failed or were without data,
// which was told.
func (c *tuneCommand) result(r *runner, trials []Job) (result, error) {
	var losses, accuracies []float64
	for _, j := range trials {
		st, err := stateOf(r.dir, j)
		if err != nil {
			return result{}, err
		}
		if st != finished {
			return result{loss: math.Inf(1)}, nil
		}
		run, err := ReadRun(j.path(r.dir))
		if err != nil {
			return result{}, err
		}
		losses, accuracies = append(losses, run.FinalLoss()), append(accuracies, run.FinalAccuracy())
	}
	return result{trials[0].Values, Median(losses), Median(accuracies)}, nil
}
