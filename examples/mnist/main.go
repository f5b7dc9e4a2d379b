// Mnist trains a fully connected net on MNIST or Fashion-MNIST with any of the
// library's optimizers, its learning rate or preconditioner adapted by APO. It
// evaluates every epoch, saves a checkpoint there and every minute, and can be
// stopped and resumed:
//
//	go run ./examples/mnist -optimizer sgdm -lr 0.001
//	go run ./examples/mnist -optimizer precond -data fashion -epochs 10
//	go run ./examples/mnist -resume
//
// Ctrl-C, SIGTERM or the end of its terminal make it save and end. The data are
// looked for in the folder that APO_DATA names, and downloaded where they are
// nowhere.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

const about = `Mnist trains a fully connected net on MNIST or Fashion-MNIST.
APO adapts the optimizer's learning rate, or its preconditioner (-optimizer precond,
precond-above or precond-trust).

Files in the folder -out: settings.json, steps.jsonl and steps.csv (every step),
epochs.csv (test loss and accuracy), checkpoint, weights.safetensors, loss.png,
and rate.png or precond.png.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (go on with -resume).`

func main() {
	os.Exit(cli.Run(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		return run(ctx, args, stdout, stderr)
	}))
}

// run is the program; source changes where the data come from.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, source ...datasets.Option) error {
	s, resume, err := parse(args, stdout)
	if err != nil {
		return err
	}
	name, err := apoops.UseLibraries()
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "BLAS: %s\n", name)
	train, test, err := load(ctx, s, stderr, source)
	if err != nil {
		return err
	}
	t, err := newTraining(s, train, test, stdout, stderr)
	if err != nil {
		return err
	}
	unlock, err := cli.LockOut(s.out)
	if err != nil {
		return err
	}
	defer unlock()
	if resume {
		err = t.resume()
	} else {
		err = t.start()
	}
	if err != nil {
		return err
	}
	return t.run(ctx)
}
