package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// WorkerCommand is the hidden subcommand that runs one job. It reads an Order from
// standard input and writes Progress to standard output, one value a line.
const WorkerCommand = "worker"

// Order is the input of a worker process.
type Order struct {
	Job
	Path   string `json:"path"`
	Resume bool   `json:"resume"`
	Source string `json:"values_from"`
	Commit string `json:"commit"`
	Jobs   int    `json:"jobs"`
}

// Progress is the last evaluated step of a worker.
type Progress struct {
	Step int    `json:"step"`
	Loss Number `json:"loss"`
}

// The exit codes of the commands.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitMissing     = 3
	exitInterrupted = 130
)

// Worker runs the job on stdin and returns the exit code: 0 if the run is finished,
// including one that diverged, 3 if its data set is missing, 130 if it was
// interrupted and saved, 1 if it failed.
func Worker(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int {
	var o Order
	err := json.NewDecoder(stdin).Decode(&o)
	if err == nil {
		lines := json.NewEncoder(stdout)
		err = work(ctx, o, func(step int, loss float64) {
			// If the reader has gone away, a signal ends this process.
			_ = lines.Encode(Progress{step, Number(loss)})
		})
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, datasets.ErrNotFound):
		fmt.Fprintln(stderr, err)
		return exitMissing
	}
	fmt.Fprintln(stderr, err)
	return exitFailed
}

// work runs a job in this process.
func work(ctx context.Context, o Order, progress func(step int, loss float64)) error {
	t, err := newTraining(ctx, o)
	if err != nil {
		return err
	}
	if err := t.open(); err != nil {
		return err
	}
	err = t.run(ctx, progress)
	if closeErr := t.log.Close(); err == nil {
		err = errors.Wrap(closeErr, "results")
	}
	return err
}

// libraries returns the BLAS in use and the number of threads.
func libraries() (name string, threads int, err error) {
	name, err = apoops.UseLibraries()
	return name, par.Cores(), err
}
