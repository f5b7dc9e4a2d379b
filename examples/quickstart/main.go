// Quickstart shows what APO does: it trains a small net on 8×8 digits with five
// methods and compares them. SGD with momentum (SGDm) starts at a learning rate that
// is far too low, alone and with APO, which raises the rate. Then come Adam, Adam with
// APO, and the preconditioner that APO learns. The digits are part of the program.
//
//	go run ./examples/quickstart
//
// It runs for less than a minute, prints a table, and writes logs, tables and two
// charts. When it is stopped, it writes the results so far. It saves no checkpoints. The
// processes that mpirun starts train together.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers/datasets"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

const about = `Quickstart trains a small net on 8x8 digits with five methods side by side.

Files in the folder -out: for each method a log of every step (METHOD.jsonl),
evaluations.csv, summary.csv, loss.png and rate.png.
-log tensorboard,mlflow adds logs that these programs read, a run for each method.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`

// mostSteps is the most that -steps may be, far more than the net needs: all
// evaluations are kept in memory. trainingImages is the size of the training set.
const mostSteps, trainingImages = 1_000_000, 1437

// settings are what the flags set.
type settings struct {
	steps, batch int
	rate         float64
	seed         uint64
	out          string
	precision    string   // "" is float32
	log          []string // further kinds
}

func main() { os.Exit(cli.RunTogether(run)) }

// run is the program. With several members (cli.Members) all call it with the same
// arguments; rank 0 alone prints and writes.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	comm := cli.Members(ctx)
	s, err := parse(args, stdout)
	if err := collective.JoinErrors(comm, err); err != nil {
		return err
	}
	name, err := apoops.UseLibraries()
	if err := collective.JoinErrors(comm, err); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "BLAS: %s\n", name)
	unlock, err := cli.LockFirst(comm, s.out)
	if err != nil {
		return err
	}
	defer unlock()
	train, test, err := datasets.Digits(tensor.Float32)
	if err != nil {
		return err
	}
	var results []result
	var stopped error
	k := &task{s, comm, durable.NewTogether(ctx, comm), train, test, stderr}
	for _, m := range methods(s.rate) {
		r, err := m.train(k)
		if err != nil && !errors.Is(err, context.Canceled) {
			return errors.WithMessage(err, m.name)
		}
		results = append(results, r)
		if stopped = err; stopped != nil {
			break
		}
	}
	if err := collective.OnFirst(comm, func() error { return report(s, results, stdout) }); err != nil {
		return err
	}
	if stopped == nil {
		stopped = k.all.Context().Err()
	}
	return stopped
}

func parse(args []string, stdout io.Writer) (settings, error) {
	var s settings
	fs := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	fs.IntVar(&s.steps, "steps", 1000, "training steps of each method")
	fs.IntVar(&s.batch, "batch", 64, "examples in a mini-batch")
	fs.Float64Var(&s.rate, "rate", 1e-4, "initial learning rate of SGDm and SGDm-APO, far too low")
	fs.Uint64Var(&s.seed, "seed", 1, "seed of weights and batches")
	fs.Func("precision", cli.PrecisionHelp, cli.Precision(&s.precision))
	fs.Func("log", runlog.KindsHelp, runlog.ParseKinds(&s.log))
	fs.StringVar(&s.out, "out", filepath.Join("out", "quickstart"), "folder for the results")
	if err := cli.Parse(fs, args, about, stdout); err != nil {
		return s, err
	}
	if s.out == "" {
		return s, cli.Usagef("-out must not be empty")
	}
	return s, cli.AsUsage(cli.First(
		cli.Between("steps", s.steps, 1, mostSteps),
		cli.Between("batch", s.batch, 1, trainingImages),
		cli.Rate("rate", &s.rate),
	))
}
