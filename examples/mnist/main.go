// Mnist trains a fully connected net on MNIST or Fashion-MNIST with any of the
// library's optimizers, its learning rate or preconditioner adapted by APO. It
// evaluates every epoch, saves a checkpoint there and every minute, and can be
// stopped and resumed:
//
//	go run ./examples/mnist -optimizer sgdm -lr 0.001
//	go run ./examples/mnist -optimizer precond -schedule cosine -data fashion -epochs 10
//	go run ./examples/mnist -resume
//
// Started by mpirun (Open MPI or MPICH) its processes train together, on parts of each
// mini-batch:
//
//	go build ./examples/mnist && mpirun -n 2 ./mnist
//
// Ctrl-C, SIGTERM or the end of its terminal make it save and end. It reads the data
// from the folder that APO_DATA names, and downloads them if they are not there.
//
// Package app has what this program shares with examples/cifar.
package main

import (
	"context"
	"io"
	"os"

	"github.com/apo-gorgonia/apo/examples/internal/app"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
)

var mnist = &app.App{
	Name: "mnist",
	About: `Mnist trains a fully connected net on MNIST or Fashion-MNIST.
APO adapts the optimizer's learning rate, or its preconditioner (-optimizer
precond or precond-plain).

Files in the folder -out: settings.json, steps.jsonl and steps.csv (every step),
epochs.csv (test loss and accuracy), checkpoint, weights.safetensors, loss.png,
and rate.png or precond.png.
-log tensorboard,mlflow adds logs that these programs read, -live a view of the run in
the terminal.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (go on with -resume).`,
	New:             func() app.Program { return new(settings) },
	Data:            []string{"mnist", "fashion"},
	Images:          60000,
	EvaluationBatch: 1000,
	OptimizerFlag:   "optimizer",
	Defaults: map[string]string{
		"k": "5 for sgdm, else the library's 10", "fsd": "0.3 for sgdm, else the library's", "wsd": "2 for sgdm, else the library's",
	},
}

func main() {
	os.Exit(cli.RunTogether(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		return mnist.Run(ctx, args, stdout, stderr)
	}))
}
