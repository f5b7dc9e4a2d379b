package selftune

import (
	"context"
	"fmt"
	"io"

	"github.com/apo-gorgonia/apo/benchmarks/subcommand"
)

const usage = `Usage: benchmarks selftune run [FLAG...]
       benchmarks selftune report [FLAG...]

Compares methods that train without any tuning for a task, by AlgoPerf's self-tuning
rules in small: one configuration of each method for all tasks, the authors' defaults and
a calibrated one, from initial rates 1, 1e-3 and 30 times the configuration's; the time
to the target of tuned NAdamW in steps and seconds; performance profiles with their area,
and paired tests. Go's documentation of package benchmarks/selftune has the rules.

"run" trains and stores each run as a file in the folder -out. Runs that are stored are
skipped; Ctrl-C saves the state, and the same command continues. A folder of benchmarks
store is continued too, with more seeds or more methods: a method that has runs there and
no searches keeps its configuration, unless -redo searches again. All of the scale small
takes about ten hours on two cores, -seeds 1 about one, the scale smoke a minute.

"report" reads a folder of "run", or one of benchmarks store, and writes into its folder
report, or that of -report:
  selftune.md                areas, pictures, verdicts, targets, configurations
  profile-BY-CONFIG.svg      the profiles by steps and seconds, and the same as .png
  areas.csv, times.csv, pairs.csv

Exit codes:
    0  success
    1  a run failed, a result with other settings was kept, or the report failed
    2  wrong usage
    3  a data set is missing; all other results are stored
  130  interrupted
`

// The names of the subcommands.
const (
	runName    = "selftune run"
	reportName = "selftune report"
)

const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitMissing     = 3
	exitInterrupted = 130
)

// Run is the subcommand "selftune"; it returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var do func(o *options) (int, error)
	name := "selftune"
	if len(args) > 0 {
		switch args[0] {
		case "run":
			name, do = runName, func(o *options) (int, error) { return o.run(ctx, stdout, stderr) }
		case "report":
			name, do = reportName, func(o *options) (int, error) { return exitOK, o.report(ctx, stdout) }
		case "-h", "-help", "--help":
			fmt.Fprint(stdout, usage)
			return exitOK
		}
	}
	if do == nil {
		fmt.Fprintf(stderr, "selftune: run or report is needed\n\n%s", usage)
		return exitUsage
	}
	var o options
	f := o.flags(name)
	code, ok := subcommand.ParseFlags(f, usage, args[1:], stdout, stderr, subcommand.NoNames(func() error { return o.check(name) }))
	if !ok {
		return code
	}
	code, err := do(&o)
	switch {
	case err != nil && ctx.Err() != nil:
		fmt.Fprintf(stderr, "%s: interrupted; the same command continues\n", name)
		return exitInterrupted
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitFailed
	}
	return code
}
