package suite

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
)

// FirstTuningSeed is the first of the seeds that are reserved for searches.
const FirstTuningSeed = 1001

// maxConfigs and maxSeeds bound the flags.
const maxConfigs, maxSeeds = 10_000, 1000

const tuneUsage = `Usage: benchmarks tune [NAME...] [flags]

Searches at random for hyperparameters. Each method has the same number of
configurations, drawn from its space (benchmarks/methods/spaces). Each
configuration is trained for the experiment's number of steps, or that of its
trials, on seeds from 1001 on, which "run" never uses. Configuration 1 has the
space's defaults.

The configuration with the lowest final training loss wins. If the experiment's
trials hold out a part of the training set for validation, the one with the
highest accuracy on that part wins. A method that adapts a learning rate starts
from the experiment's first variant.

The trials are stored in -out/tune and are not run again. The winners are stored
in -out/tuned and, with -save, in the repository, where "run" finds them after
the next build.

The exit codes are those of run.
`

type tuneCommand struct {
	common
	configs, seeds int
	drawSeed       uint64
	save           string
}

// TuneCommand is the subcommand "tune"; it returns the exit code.
func TuneCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c tuneCommand
	f := flag.NewFlagSet("tune", flag.ContinueOnError)
	c.register(f)
	f.IntVar(&c.configs, "configs", 16, "number of configurations of each method")
	f.IntVar(&c.seeds, "seeds", 1, "seeds of each configuration; its result is the median over them")
	f.Uint64Var(&c.drawSeed, "seed", 1, "seed of the random configurations")
	f.StringVar(&c.save, "save", "", "also store the winners in this `folder` (in the repository: benchmarks/methods/tuned)")
	code, ok := subcommand.ParseFlags(f, tuneUsage, args, stdout, stderr, func(names []string) error {
		if err := between("configs", c.configs, maxConfigs); err != nil {
			return err
		}
		if err := between("seeds", c.seeds, maxSeeds); err != nil {
			return err
		}
		return c.check(names)
	})
	if !ok {
		return code
	}
	return c.run(ctx, stdout, stderr)
}

func (c *tuneCommand) run(ctx context.Context, stdout, stderr io.Writer) int {
	unlock, err := c.lock()
	if err != nil {
		fmt.Fprintf(stderr, "tune: %v\n", err)
		return exitFailed
	}
	defer unlock()
	env, err := CurrentEnvironment(ctx)
	if err == nil {
		err = env.store(c.dir)
	}
	if err == nil && c.save != "" { // before a long search
		err = errors.Wrap(os.MkdirAll(c.save, 0o777), "-save")
	}
	r := &runner{dir: filepath.Join(c.dir, "tune"), commit: env.Commit, jobs: c.jobs, stderr: stderr}
	unavailable := false
	if err == nil {
		unavailable, err = c.search(ctx, r, stdout)
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "tune: interrupted; the same command continues the search")
		return exitInterrupted
	case err != nil:
		fmt.Fprintf(stderr, "tune: %v\n", err)
		return exitFailed
	case r.failed > 0:
		fmt.Fprintf(stderr, "tune: %d runs failed\n", r.failed)
		return exitFailed
	case unavailable || len(r.missing) > 0:
		return exitMissing
	}
	return exitOK
}
