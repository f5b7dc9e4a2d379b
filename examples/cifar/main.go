// Cifar trains a convolutional net, from LeNet to a wide residual net of 28 layers,
// on the colour images of CIFAR-10, CIFAR-100 or SVHN with any of the library's
// optimizers, its learning rate or preconditioner adapted by APO. It evaluates
// every epoch, saves a checkpoint there and every minute, and can be stopped and
// resumed:
//
//	go run ./examples/cifar
//	go run ./examples/cifar -model resnet8 -augment -epochs 20 -weight-decay 0.0005
//	go run ./examples/cifar -opt precond -limit 5000
//	go run ./examples/cifar -resume
//
// Started by mpirun (Open MPI or MPICH) its processes train together, on parts of each
// mini-batch:
//
//	go build ./examples/cifar && mpirun -n 2 ./cifar
//
// Ctrl-C, SIGTERM or the end of its terminal make it save and end. It reads the data
// from the folder that APO_DATA names, and downloads them if they are not there.
//
// Package app has what this program shares with examples/mnist.
package main

import (
	"context"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/apo-gorgonia/apo/examples/internal/app"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
)

var cifar = &app.App{
	Name: "cifar",
	About: `Cifar trains a convolutional net (-model) on CIFAR-10, CIFAR-100 or SVHN.
APO adapts the optimizer's learning rate (-apo), or its preconditioner (-opt precond or
precond-plain). Without flags it trains LeNet on CIFAR-10
for three epochs by SGD with momentum, at a learning rate that APO calibrates: some
58% of the test images are classified correctly.

Files in the folder -out: settings.json, steps.jsonl and steps.csv (every step),
epochs.csv (test loss and accuracy, the best epoch so far), checkpoint,
weights.safetensors and best.safetensors (of the epoch with the best test
accuracy), result.json, loss.png, accuracy.png, and rate.png or precond.png.
-log tensorboard,mlflow adds logs that these programs read, -live a view of the run in
the terminal.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (go on with -resume).`,
	New:             func() app.Program { return new(settings) },
	Data:            slices.Sorted(maps.Keys(dataSets)),
	Images:          mostImages,
	EvaluationBatch: 200,
	KeepsBest:       true,
	OptimizerFlag:   "opt",
	Defaults:        map[string]string{"k": "10", "fsd": "the library's; 0 where the rate is calibrated"},
	Keys:            map[string]string{"optimizer": "opt", "warm_up": "warm-up"},
}

func main() {
	os.Exit(cli.RunTogether(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		return cifar.Run(ctx, args, stdout, stderr)
	}))
}
