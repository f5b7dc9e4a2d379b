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

const about = `Cifar trains a convolutional net (-model) on CIFAR-10, CIFAR-100 or SVHN.
APO adapts the optimizer's learning rate (-apo), or its preconditioner (-opt precond,
precond-above or precond-trust). Without flags: LeNet on CIFAR-10, SGD with momentum
at a learning rate that APO calibrates, three epochs: some 58% of the test images
come out right.

Files in the folder -out: settings.json, steps.jsonl and steps.csv (every step),
epochs.csv (test loss and accuracy, the best epoch so far), checkpoint,
weights.safetensors and best.safetensors (of the epoch with the best test
accuracy), result.json, loss.png, accuracy.png, and rate.png or precond.png.
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
