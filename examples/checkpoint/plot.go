package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

var plotted = command{
	name: "plot", names: "FILE|FOLDER...", help: "draw the history of runs and the weights of one", least: 1,
	about: `Plot draws loss.png and rate.png, for a learned preconditioner precond.png, from the
steps.jsonl beside each file, and of a single file weights.png: how the numbers in its
largest parameters are distributed. Several runs share the first two pictures, each with a
curve; of several rates of one run it is the first.`,
	flags: func(fs *flag.FlagSet) work {
		out := fs.String("o", "plots", "folder for the pictures, which is made")
		smooth := fs.Int("smooth", 50, "steps over which the loss is averaged")
		return func(_ context.Context, names []string, stdout, _ io.Writer) error {
			if err := cli.Between("smooth", *smooth, 1, cli.MostSteps); err != nil {
				return cli.AsUsage(err)
			}
			if len(names) > 2*len(chart.Colors) {
				return cli.Usagef("plot %d runs: at most %d can be told apart", len(names), 2*len(chart.Colors))
			}
			return plotAll(names, *out, *smooth, stdout)
		}
	},
}

// logged is a run with its log, which may be missing.
type logged struct {
	*file
	name string
	log  []runlog.Step
}

func plotAll(names []string, out string, smooth int, stdout io.Writer) error {
	var runs []logged
	for _, name := range names {
		f, err := read(name)
		if err != nil {
			return err
		}
		log, err := runlog.ReadSteps(filepath.Dir(f.path))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if len(log) == 0 && len(names) > 1 {
			return errors.Errorf("%s: no steps in %s", f.path, filepath.Join(filepath.Dir(f.path), runlog.StepsJSONL))
		}
		runs = append(runs, logged{f, name, log})
	}
	charts := make(map[string]chart.Chart)
	if len(runs) == 1 {
		weights, err := weightsChart(runs[0].file)
		if err != nil {
			return err
		}
		charts["weights.png"] = weights
	}
	if len(runs[0].log) > 0 {
		historyCharts(charts, runs, smooth)
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return errors.Wrap(err, "-o")
	}
	for name, c := range charts {
		if err := c.Save(filepath.Join(out, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"loss.png", "rate.png", "precond.png", "weights.png"} {
		if _, ok := charts[name]; ok {
			fmt.Fprintln(stdout, filepath.Join(out, name))
		}
	}
	return nil
}

// historyCharts adds the charts of losses and of what APO learns.
func historyCharts(charts map[string]chart.Chart, runs []logged, smooth int) {
	loss := chart.Chart{Title: fmt.Sprintf("Training loss, a running mean over %d steps", smooth), X: "step", Y: "loss"}
	rate := chart.Chart{Title: "Learning rate", X: "step", Y: "learning rate"}
	for i, r := range runs {
		color, dotted := chart.Look(i)
		line := runlog.Loss(r.log, smooth)
		line.Name, line.Color, line.Dotted = r.name, color, dotted
		loss.Lines = append(loss.Lines, line)
		rates := runlog.Rates(r.log)
		if len(runs) > 1 && len(rates) > 0 {
			rates = rates[:1]
			rates[0].Name, rates[0].Color, rates[0].Dotted = r.name, color, dotted
		}
		rate.Lines = append(rate.Lines, rates...)
	}
	charts["loss.png"] = loss
	if len(rate.Lines) > 0 {
		charts["rate.png"] = rate
	}
	if what, lines := runlog.Sizes(runs[0].log); len(runs) == 1 && len(lines) > 0 {
		charts["precond.png"] = chart.Chart{Title: "Preconditioner: " + what, X: "step", Y: what, Lines: lines}
	}
}

// intervals is the number of intervals of the distribution of n numbers: √n, from 10 to 60.
func intervals(n int) int { return min(max(int(math.Sqrt(float64(n))), 10), 60) }

// weightsChart has the distribution of the numbers in the largest parameters: the share of
// them in an interval divided by its length.
func weightsChart(f *file) (chart.Chart, error) {
	c := chart.Chart{Title: "Weights of " + f.path, X: "weight", Y: "density"}
	floats := slices.DeleteFunc(slices.Clone(f.weights()), func(t checkpoint.NamedTensor) bool {
		_, err := t.Floats()
		return err != nil
	})
	if len(floats) == 0 {
		return c, errors.Errorf("%s has no weights", f.path)
	}
	slices.SortStableFunc(floats, func(a, b checkpoint.NamedTensor) int {
		return cmp.Compare(b.Value.Shape().TotalSize(), a.Value.Shape().TotalSize())
	})
	floats = floats[:min(len(floats), len(chart.Colors))]
	for i, t := range floats {
		if at, v, bad := notFinite(t); bad {
			return c, errors.Errorf("%s: tensor %q: element %d is %v", f.path, t.Name, at, v)
		}
		x, err := t.Floats()
		if err != nil {
			return c, err
		}
		line := chart.Line{Name: t.Name, Color: chart.Colors[i]}
		line.X, line.Y = density(x)
		c.Lines = append(c.Lines, line)
	}
	return c, nil
}

// density is a histogram of numbers over the middles of its intervals.
func density(x []float64) (middles, shares []float64) {
	lo, hi := slices.Min(x), slices.Max(x)
	bins := intervals(len(x))
	width := hi/float64(bins) - lo/float64(bins)
	if width == 0 { // all the same, or as good as that
		return []float64{lo}, []float64{1}
	}
	middles, shares = make([]float64, bins), make([]float64, bins)
	for i := range bins {
		middles[i] = lo + (float64(i)+0.5)*width
	}
	for _, v := range x {
		shares[min(int(v/width-lo/width), bins-1)] += 1 / (float64(len(x)) * width)
	}
	return middles, shares
}
