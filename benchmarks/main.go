// Command benchmarks is the benchmark suite, one subcommand for each job.
//
//	go run ./benchmarks list                              what there is, and how long it takes here
//	go run ./benchmarks run fig3-parkinsons -scale small  train, results to results/
//	go run ./benchmarks tune fig3-parkinsons -configs 16  search for hyperparameters
//	go run ./benchmarks report results                    tables, figures, verdicts on claims
//	go run ./benchmarks parity FILE...                    compare with reference runs
//	go run ./benchmarks peers                             time and memory beside PyTorch's
//
// Each has -h. The data sets are found as package datasets says.
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
	{"list", "show the experiments, their sizes and the time they take here", suite.ListCommand},
	{"run", "run experiments of the paper and store the results", suite.RunCommand},
	{"tune", "search for hyperparameters at random, equally many tries for each method", suite.TuneCommand},
	{"report", "make tables, figures and verdicts of stored results", report.Command},
	{"parity", "replay reference runs and compare every number", parity.Command},
	{"peers", "time and memory of training steps side by side with PyTorch", peers.Run},
}

const usage = `Usage: benchmarks COMMAND [ARGUMENT...]
       benchmarks COMMAND -h

Commands:
%s
Exit codes:
  0  all went well
  1  the command did its work and something failed
  2  wrong usage, or input that cannot be read
  3  nothing failed, but something is not supported, or its data are missing
130  interrupted
"go run" turns every code but 0 into 1; build the program to see them.
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
