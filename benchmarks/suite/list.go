package suite

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
)

const listUsage = `Usage: benchmarks list [NAME...] [flags]

Lists the experiments: place in the paper, data, the paper's result, methods and
sizes, and the time that all methods with 3 seeds take, without evaluations, and
the memory of the largest run beside its data. Both are those of the runs that
are stored in the folder -results, where there are any of the same settings, on
the machine that made them.

With -measure they are measured on this machine: a few steps of each method on
random data of the experiment's shapes, from 4 to 21, so that a net whose steps
take a second needs some minutes. At the scale smoke all experiments take half a
minute on two cores, at the scale small ResNet-18 takes three minutes. Memory is
that of the steps alone.
`

const listedSeeds = 3

// listCommand is the subcommand "list".
type listCommand struct {
	selection
	scales []experiments.Scale
	of     costs
	failed int // estimates without one of their methods
}

// ListCommand is the subcommand "list"; it returns the exit code.
func ListCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c listCommand
	f := flag.NewFlagSet("list", flag.ContinueOnError)
	scale := f.String("scale", "", "scale to list: smoke, small or paper (default all)")
	measure := f.Bool("measure", false, "measure time and memory here")
	results := f.String("results", "benchmarks/results", "`folder` of stored runs whose time and memory are shown")
	code, ok := subcommand.ParseFlags(f, listUsage, args, stdout, stderr, func(names []string) error {
		return c.check(names, *scale)
	})
	if !ok {
		return code
	}
	c.of = storedCosts(*results)
	if *measure {
		c.of = measuredCosts()
	}
	es, err := c.experiments()
	for i := 0; i < len(es) && err == nil; i++ {
		err = c.list(ctx, es[i], stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "list: %v\n", err)
		if ctx.Err() != nil {
			return exitInterrupted
		}
		return exitFailed
	}
	if c.failed > 0 {
		return exitFailed
	}
	return exitOK
}

// check validates names and the scale, "" for all.
func (c *listCommand) check(names []string, scale string) error {
	c.names, c.scales = names, experiments.Scales
	if scale != "" {
		s, err := experiments.ParseScale(scale)
		if err != nil {
			return err
		}
		c.scales = []experiments.Scale{s}
	}
	_, err := c.experiments()
	return err
}

func (c *listCommand) list(ctx context.Context, e *experiments.Experiment, stdout, stderr io.Writer) error {
	fmt.Fprintf(stdout, "%s  %s: %s\n", e.Name, e.Figure, e.Title)
	fmt.Fprintf(stdout, "  data     %s\n  paper    %s\n  chosen   %s\n", e.Data, e.Paper, e.Choices)
	if len(e.Methods) > 0 {
		fmt.Fprintf(stdout, "  methods  %s\n", strings.Join(e.Methods, ", "))
	}
	for _, scale := range experiments.Scales {
		config, ok := e.Scales[scale]
		if !ok || !slices.Contains(c.scales, scale) {
			continue
		}
		fmt.Fprintf(stdout, "  %-7s  %s, %d steps of %s", scale, e.Task.Describe(config), config.Steps, e.Task.Work(config).Count(config.Batch))
		if e.TimedAt(scale) && config.Steps < warmedUp {
			fmt.Fprint(stdout, ", only timed")
		}
		t, err := c.of.estimated(ctx, e, scale)
		if err != nil {
			fmt.Fprintln(stdout)
			return err
		}
		if text := t.String(); text != "" {
			fmt.Fprint(stdout, ", ", text)
		}
		fmt.Fprintln(stdout)
		for _, text := range t.failed {
			c.failed++
			fmt.Fprintf(stderr, "list: %s is not in the estimate\n", text)
		}
	}
	fmt.Fprintln(stdout)
	return nil
}
