// Command benchmarks is the benchmark suite. It has a subcommand for each job.
//
//	go run ./benchmarks list                              list the experiments with their times
//	go run ./benchmarks run fig3-parkinsons -scale small  train, store results in results/
//	go run ./benchmarks tune fig3-parkinsons -configs 16  search for hyperparameters
//	go run ./benchmarks store results                     condense results for the repository
//	go run ./benchmarks report results                    tables, figures, verdicts on claims
//	go run ./benchmarks parity FILE...                    compare with reference runs
//	go run ./benchmarks peers                             compare time and memory with PyTorch
//	go run ./benchmarks scaling                           measure several processes, predict up to 1024
//	go run ./benchmarks selftune run                      compare methods without tuning for a task
//
// Each has -h. Package datasets describes where data sets are found. README.md names
// the file that makes each part of a report.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/benchmarks/parity"
	"github.com/apo-gorgonia/apo/benchmarks/peers"
	"github.com/apo-gorgonia/apo/benchmarks/report"
	"github.com/apo-gorgonia/apo/benchmarks/scaling"
	"github.com/apo-gorgonia/apo/benchmarks/selftune"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// command is one subcommand. run gets the arguments after its name and returns
// the exit code.
type command struct {
	name, help string
	run        func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

var commands = []command{
	{"list", "list the experiments, their sizes and the time they take", suite.ListCommand},
	{"run", "run experiments of the paper and store the results", suite.RunCommand},
	{"tune", "search at random for hyperparameters, with as many trials for each method", suite.TuneCommand},
	{"store", "condense results into small files that stay in the repository", suite.StoreCommand},
	{"report", "make tables, figures and verdicts on claims from stored results", report.Command},
	{"parity", "replay reference runs and compare every number", parity.Command},
	{"peers", "compare time and memory of training steps with PyTorch", peers.Run},
	{"scaling", "measure training by several processes, predict it for up to 1024", scaling.Run},
	{"selftune", "compare methods without tuning for a task, by AlgoPerf's rules in small", selftune.Run},
}

const usage = `Usage: benchmarks COMMAND [ARGUMENT...]
       benchmarks COMMAND -h

Commands:
%s
Exit codes:
  0  success
  1  a part of the work failed
  2  wrong usage, or input that cannot be read
  3  nothing failed, but something is not supported or a data set is missing
130  interrupted
"go run" turns every code but 0 into 1. Build the program to see the codes.
`

func main() {
	ctx, stop := durable.UntilStopped(context.Background())
	code := dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// dispatch runs the command that args begin with.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		printUsage(stderr)
		return 2
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		printUsage(stdout)
		return 0
	}
	if args[0] == suite.WorkerCommand {
		return suite.Worker(ctx, os.Stdin, stdout, stderr)
	}
	for _, c := range commands {
		if c.name == args[0] {
			if _, err := apoops.UseLibraries(); err != nil {
				fmt.Fprintln(stderr, "benchmarks:", err)
				return 2
			}
			return c.run(ctx, args[1:], stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "benchmarks: unknown command %q\n\n", args[0])
	printUsage(stderr)
	return 2
}

func printUsage(w io.Writer) {
	list := ""
	for _, c := range commands {
		list += fmt.Sprintf("  %-8s %s\n", c.name, c.help)
	}
	fmt.Fprintf(w, usage, list)
}
