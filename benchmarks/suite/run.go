package suite

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
)

const runUsage = `Usage: benchmarks run [NAME...] [flags]

Runs experiments and stores the results in the folder -out, one file of JSON
lines for each run. Without a NAME it runs all of them; "list" shows the names.
Runs whose results are stored already, by this command or by "store", are skipped.
Ctrl-C saves the state, and the same command continues.

Exit codes:
    0  all results are stored
    1  a run failed, or a result with other settings was kept
    2  wrong usage
    3  a data set or an optimizer is missing; all other results are stored
  130  interrupted
`

type runCommand struct {
	common
	seeds int
	redo  bool
	kept  int // number of results with other settings
}

// RunCommand is the subcommand "run"; it returns the exit code.
func RunCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c runCommand
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	c.register(f)
	f.IntVar(&c.seeds, "seeds", 3, "number of runs of each method, with seeds 1, 2, ...")
	f.BoolVar(&c.redo, "redo", false, "replace results that have other settings")
	code, ok := subcommand.ParseFlags(f, runUsage, args, stdout, stderr, func(names []string) error {
		if err := between("seeds", c.seeds, FirstTuningSeed-1); err != nil {
			return err
		}
		return c.check(names)
	})
	if !ok {
		return code
	}
	return c.run(ctx, stdout, stderr)
}

func (c *runCommand) run(ctx context.Context, stdout, stderr io.Writer) int {
	failed := func(err error) int {
		fmt.Fprintf(stderr, "run: %v\n", err)
		return exitFailed
	}
	unlock, err := c.lock()
	if err != nil {
		return failed(err)
	}
	defer unlock()
	env, err := CurrentEnvironment(ctx)
	if err != nil {
		return failed(err)
	}
	if err := env.store(c.dir); err != nil {
		return failed(err)
	}
	r := &runner{dir: c.dir, commit: env.Commit, jobs: c.jobs, stderr: stderr}
	todo, missing, err := c.prepare(ctx, stdout)
	if err != nil {
		return failed(err)
	}
	if err := r.do(ctx, todo); err != nil {
		fmt.Fprintln(stderr, "run: interrupted; the same command continues")
		return exitInterrupted
	}
	for _, name := range r.missing {
		fmt.Fprintf(stdout, "%s: not run, its data set is missing\n", name)
	}
	switch {
	case r.failed > 0:
		return failed(errors.Errorf("%d runs failed", r.failed))
	case c.kept > 0:
		return exitFailed
	case len(r.missing) > 0 || missing:
		return exitMissing
	}
	return exitOK
}

// prepare stores the computed results and returns the runs that are left to do.
// missing is true if a method is not available.
func (c *runCommand) prepare(ctx context.Context, stdout io.Writer) (todo []planned, missing bool, err error) {
	es, err := c.experiments()
	if err != nil {
		return nil, false, err
	}
	for _, e := range es {
		if err := compute(ctx, e, c.scale, c.dir, stdout); err != nil {
			return nil, false, err
		}
		if len(e.Methods) == 0 {
			continue
		}
		if _, ok := e.Scales[c.scale]; !ok {
			fmt.Fprintf(stdout, "%s: %s\n", e.Name, noScale(c.scale))
			continue
		}
		var notes strings.Builder
		ms, err := c.methods(e, &notes)
		if err != nil {
			return nil, false, err
		}
		fmt.Fprint(stdout, notes.String())
		missing = missing || notes.Len() > 0
		jobs, err := plan(e, c.scale, ms, c.seeds, c.dir)
		if err != nil {
			return nil, false, err
		}
		open, err := c.open(e, jobs, stdout)
		if err != nil {
			return nil, false, err
		}
		todo = append(todo, open...)
	}
	return todo, missing, nil
}

// open returns the jobs that are not finished.
func (c *runCommand) open(e *experiments.Experiment, jobs []planned, stdout io.Writer) ([]planned, error) {
	var todo []planned
	there := 0
	for _, j := range jobs {
		if j.state == other {
			if !c.redo {
				fmt.Fprintf(stdout, "%s: has other settings and is kept; -redo replaces it\n", j)
				c.kept++
				continue
			}
			if err := remove(c.dir, j.Job); err != nil {
				return nil, err
			}
			j.state = absent
		}
		if j.state == finished {
			there++
		} else {
			todo = append(todo, j)
		}
	}
	fmt.Fprintf(stdout, "%s %s: %d runs, %d of them stored already\n", e.Name, c.scale, len(jobs), there)
	return todo, nil
}
