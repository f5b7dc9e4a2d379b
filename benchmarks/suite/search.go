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

// search tunes the methods of each experiment in turn. Methods with a Base come last,
// because they start from the rate that was found for it.
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

// untuned says why an experiment is not tuned, or "" if it is.
func (c *tuneCommand) untuned(e *experiments.Experiment) string {
	switch _, ok := e.Scales[c.scale]; {
	case len(e.Methods) == 0 || e.TimedAt(c.scale):
		return "nothing to tune"
	case !ok:
		return noScale(c.scale)
	case len(e.TunedAs) > 0 && !slices.Contains(c.names, e.Name):
		return "tuned only if it is named; it uses the settings of " + strings.Join(e.TunedAs, " or ")
	}
	return ""
}

// method searches for one method and stores the winner.
func (c *tuneCommand) method(ctx context.Context, r *runner, e *experiments.Experiment, m *methods.Method, stdout io.Writer) error {
	trials, err := c.trials(e, m)
	if err != nil {
		return err
	}
	todo, err := unfinished(r.dir, e, trials)
	if err != nil {
		return err
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
	w.Configs, w.Command, w.Commit = c.configs, c.command(e, m), r.commit
	return c.store(e, m, *w)
}

// unfinished are the trials that are not in the store yet.
func unfinished(dir string, e *experiments.Experiment, trials []Job) ([]planned, error) {
	var todo []planned
	for _, j := range trials {
		st, err := stateOf(dir, j)
		if err != nil {
			return nil, err
		}
		if st == other { // the space or the seed of the search has changed
			if err := remove(dir, j); err != nil {
				return nil, err
			}
			st = absent
		}
		if st != finished {
			todo = append(todo, planned{j, "search", weight(dir, e, j), st})
		}
	}
	return todo, nil
}

// store stores a winner in the results folder and, with -save, in that folder.
func (c *tuneCommand) store(e *experiments.Experiment, m *methods.Method, w methods.Winner) error {
	for _, dir := range []string{c.tunedDir(), c.save} {
		if dir == "" {
			continue
		}
		if err := storeWinner(dir, e.Name, string(c.scale), m.Name, w); err != nil {
			return err
		}
	}
	return nil
}

// command is the command line that repeats this search.
func (c *tuneCommand) command(e *experiments.Experiment, m *methods.Method) string {
	return fmt.Sprintf("go run ./benchmarks tune %s -scale %s -optimizers %s -configs %d -seeds %d -seed %d",
		e.Name, c.scale, m.Name, c.configs, c.seeds, c.drawSeed)
}

func (c *tuneCommand) tunedDir() string { return filepath.Join(c.dir, "tuned") }

// trials returns all runs of a method's search.
func (c *tuneCommand) trials(e *experiments.Experiment, m *methods.Method) ([]Job, error) {
	space, err := m.SearchSpace(e.Spaces)
	if err != nil {
		return nil, err
	}
	v := e.VariantsOf(m.Name, c.scale)[0]
	rate, err := initialRate(e, c.scale, m, v)
	if err != nil {
		return nil, err
	}
	if found, err := readWinners(c.tunedDir(), e.Name, string(c.scale)); err != nil {
		return nil, err
	} else if w, ok := found[m.Base]; ok {
		rate = w.Values["lr"] * v.Factor
	}
	configs := c.configs
	if space.Fixed() {
		configs = 1
	}
	var jobs []Job
	for i := range configs {
		for k := range c.seeds {
			jobs = append(jobs, Job{
				Experiment: e.Name, Scale: c.scale, Method: m.Name, Variant: v.Name, Seed: uint64(FirstTuningSeed + k),
				Values: space.Sample(m.Name, c.drawSeed, i), Rate: rate, Config: e.Trial(c.scale), Trial: i + 1,
			})
		}
	}
	return jobs, nil
}

// result is the result of a configuration's trials: medians over the seeds.
type result struct {
	values         methods.Values
	loss, accuracy float64
}

// best returns the winner of a search, or nil if all trials diverged or were not run.
// The winner has the lowest training loss or, if the trials have a validation set, the
// highest accuracy there; then ByLoss has the values with the lowest training loss.
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

// result reads a configuration's trials. The loss is +Inf if one diverged, failed or
// had no data, which the runner has reported.
func (c *tuneCommand) result(r *runner, trials []Job) (result, error) {
	var losses, accuracies []float64
	for _, j := range trials {
		run, err := Stored(r.dir, j)
		if err != nil {
			return result{}, err
		}
		if run == nil {
			return result{loss: math.Inf(1)}, nil
		}
		losses, accuracies = append(losses, run.FinalLoss()), append(accuracies, run.FinalAccuracy())
	}
	return result{trials[0].Values, Median(losses), Median(accuracies)}, nil
}
