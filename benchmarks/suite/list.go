package suite

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
)

const listUsage = `Usage: benchmarks list [NAME...] [flags]

Lists the experiments: place in the paper, data, the paper's result, methods and
sizes, and the approximate time that all methods with 3 seeds take on this machine.
The estimate comes from a few steps of SGDm on random data, which are timed now.
`

const listedSeeds = 3

// ListCommand is the subcommand "list"; it returns the exit code.
func ListCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s selection
	f := flag.NewFlagSet("list", flag.ContinueOnError)
	quick := f.Bool("quick", false, "leave out the estimates of time")
	code, ok := subcommand.ParseFlags(f, listUsage, args, stdout, stderr, func(names []string) error {
		s.names = names
		_, err := s.experiments()
		return err
	})
	if !ok {
		return code
	}
	es, err := s.experiments()
	times := make(stepTimes)
	for i := 0; i < len(es) && err == nil; i++ {
		if err = ctx.Err(); err == nil {
			err = list(es[i], *quick, times, stdout)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "list: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func list(e *experiments.Experiment, quick bool, times stepTimes, w io.Writer) error {
	fmt.Fprintf(w, "%s  %s: %s\n", e.Name, e.Figure, e.Title)
	fmt.Fprintf(w, "  data     %s\n  paper    %s\n  chosen   %s\n", e.Data, e.Paper, e.Choices)
	if len(e.Methods) > 0 {
		fmt.Fprintf(w, "  methods  %s\n", strings.Join(e.Methods, ", "))
	}
	for _, scale := range experiments.Scales {
		c, ok := e.Scales[scale]
		if !ok {
			continue
		}
		fmt.Fprintf(w, "  %-7s  %s, %d steps of %s", scale, e.Task.Describe(c), c.Steps, e.Task.Work(c).Count(c.Batch))
		if e.TimedAt(scale) && c.Steps < warmedUp {
			fmt.Fprint(w, ", only timed")
		}
		if !quick {
			step, err := times.step(e, c)
			if err != nil {
				return errors.WithMessagef(err, "%s %s", e.Name, scale)
			}
			total, err := totalCost(e, scale)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, ", about %s", duration(time.Duration(float64(step)*total*float64(c.Steps))))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
	return nil
}

// totalCost is the time of one step of each run, in multiples of a step of SGDm.
func totalCost(e *experiments.Experiment, scale experiments.Scale) (float64, error) {
	total := 0.0
	for _, name := range e.MethodsAt(scale) {
		m, err := methods.Get(name)
		if err != nil {
			return 0, err
		}
		total += listedSeeds * m.Cost * float64(len(e.VariantsOf(name)))
	}
	return total, nil
}
