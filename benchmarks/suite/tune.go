package suite

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
)

// firstTuningSeed is the first of the seeds that only searches use.
const firstTuningSeed = 1001

// maxConfigs and maxSeeds are more than anyone waits for.
const maxConfigs, maxSeeds = 10_000, 1000

const tuneUsage = `Usage: benchmarks tune [NAME...] [flags]

Random search: for each method the same number of configurations, drawn from
its space (benchmarks/methods/spaces), each trained for the experiment's number
of steps, or of its trials, on seeds from 1001 on, which "run" never uses.
Configuration 1 has the space's defaults. The one with the lowest final training
loss wins; in an experiment that keeps a part of the training set out of its
trials for it, the one with the highest accuracy there. A method that adapts a
rate starts from the experiment's first variant.

The trials are kept in -out/tune, and are not made again; the winners go to
-out/tuned, and with -save into the repository, where "run" finds them after
the next build.

Exit codes are those of run.
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
	f.IntVar(&c.configs, "configs", 16, "configurations of each method")
	f.IntVar(&c.seeds, "seeds", 1, "seeds of each configuration; the median loss counts")
	f.Uint64Var(&c.drawSeed, "seed", 1, "the seed that configurations are drawn from")
	f.StringVar(&c.save, "save", "", "also store the winners in this `folder` (the repository's: benchmarks/methods/tuned)")
	code, ok := parse(f, tuneUsage, args, stdout, stderr, func(names []string) error {
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
	env, err := here(ctx)
	if err == nil {
		err = env.note(c.dir)
	}
	if err == nil && c.save != "" { // before hours of searching
		err = errors.Wrap(os.MkdirAll(c.save, 0o777), "-save")
	}
	r := &runner{dir: filepath.Join(c.dir, "tune"), commit: env.Commit, jobs: c.jobs, stderr: stderr}
	unavailable := false
	if err == nil {
		unavailable, err = c.search(ctx, r, stdout)
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "tune: interrupted; the same command goes on from here")
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
