package app

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/record/live"
)

// training is a run with its files.
type training struct {
	app            *App
	comm           collective.Communicator
	program        Program
	s              *Settings
	trainer        *trainers.Trainer
	batches        *trainers.Batches
	train, test    trainers.Dataset
	logs           *runlog.Log
	history        []evaluated
	loop           runlog.Steps
	stdout, stderr io.Writer
}

func (a *App) newTraining(comm collective.Communicator, p Program, train, test trainers.Dataset, stdout, stderr io.Writer) (*training, error) {
	s := p.Common()
	batches, err := trainers.NewBatches(train, s.Batch, s.Seed)
	if err != nil {
		return nil, cli.AsUsage(err)
	}
	params, err := runlog.Params(p, a.Keys)
	if err != nil {
		return nil, err
	}
	logs := &runlog.Log{Epochs: a.columns(), Further: s.Log, Experiment: a.Name, Params: params}
	t := &training{app: a, comm: comm, program: p, s: s, batches: batches, train: train, test: test, logs: logs, stdout: stdout, stderr: stderr}
	if t.trainer, err = t.newTrainer(); err != nil {
		return nil, err
	}
	t.loop = runlog.Steps{Members: comm, Trainer: t.trainer, Logs: t.logs, Path: t.path(checkpointFile), PerEpoch: batches.PerEpoch(), Stderr: stderr}
	if s.live {
		t.loop.View = live.New(stderr, live.Config{Title: p.Title(), Steps: t.steps(), Examples: s.Batch, Unit: "images"})
	}
	return t, nil
}

// newTrainer makes a trainer of the program, with some options besides.
func (t *training) newTrainer(more ...trainers.Option) (*trainers.Trainer, error) {
	model, err := t.program.Model()
	if err != nil {
		return nil, err
	}
	optimizer, err := t.app.Optimizer(t.program)
	if err != nil {
		return nil, err
	}
	opts, err := options(t.program, t.batches.PerEpoch(), t.train)
	if err != nil {
		return nil, err
	}
	// B' is drawn anew for each step, from the step's number alone: a resumed
	// run has the same ones.
	opts = append(opts, trainers.TildeFrom(t.batches.TildeAt), trainers.Parallel(t.comm))
	tr, err := trainers.New(model, graph.SoftmaxCrossEntropy, optimizer, append(opts, more...)...)
	if err == nil {
		return tr, nil
	}
	if params, initErr := model.Init(t.s.Seed, tensor.Float32); initErr == nil { // an error of groups names the flag
		err = cli.First(checkGroups(optimizer, params), err)
	}
	return nil, cli.AsUsage(err)
}

// steps is the number of steps of the whole run.
func (t *training) steps() int { return t.s.Epochs * t.batches.PerEpoch() }

func (t *training) path(name string) string { return filepath.Join(t.s.out, name) }

// first has rank 0 do what is for one member alone.
func (t *training) first(do func() error) error { return collective.OnFirst(t.comm, do) }

// start prepares the folder of a new run. With the checkpoint before the first step
// the run can be resumed from the beginning.
func (t *training) start() error {
	if err := t.first(func() error {
		if err := runlog.Clear(t.s.out, append([]string{checkpointFile}, t.app.results()...)...); err != nil {
			return err
		}
		return t.logs.Open(t.s.out, t.trainer)
	}); err != nil {
		return err
	}
	if err := t.loop.Checkpoint(); err != nil {
		return err
	}
	return t.first(t.writeSettings)
}

func (t *training) writeSettings() error { return runlog.WriteSettings(t.s.out, t.program, t.app.Keys) }

// resume loads the checkpoint and cuts the logs to its step.
func (t *training) resume() error {
	if err := collective.JoinErrors(t.comm, t.trainer.Load(t.path(checkpointFile))); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "resuming at step %d of %d\n", t.trainer.Steps(), t.steps())
	if err := t.first(func() error {
		if err := t.writeSettings(); err != nil { // the number of epochs may be new
			return err
		}
		return t.logs.Open(t.s.out, t.trainer)
	}); err != nil {
		return err
	}
	var err error
	t.history, err = readHistory(t.s.out)
	return collective.JoinErrors(t.comm, err)
}

// run trains until the end or until the context ends. Either way what is done
// is in the files.
func (t *training) run(ctx context.Context) error {
	err := t.epochs(durable.NewTogether(ctx, t.comm))
	t.loop.Close()
	if err == nil {
		err = t.finish()
	}
	if err != nil {
		_ = t.logs.Close()
		return err
	}
	t.logs.Finish()
	return t.first(t.logs.Close)
}

func (t *training) epochs(all *durable.Together) error {
	stream := t.batches.Stream(all.Context(), t.trainer.Steps())
	defer stream.Close()
	perEpoch := t.batches.PerEpoch()
	start := time.Now()
	for {
		done := t.trainer.Steps()
		// An epoch is saved before its evaluation: where the program is killed there,
		// -resume evaluates it.
		if done > 0 && done%perEpoch == 0 && len(t.history) < done/perEpoch {
			if err := t.evaluate(done/perEpoch, start); err != nil {
				return err
			}
		}
		if done >= t.steps() {
			return nil
		}
		start = time.Now()
		err := t.loop.Epoch(all, stream, done/perEpoch+1)
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if saveErr := t.loop.Checkpoint(); saveErr != nil {
			return saveErr
		}
		if err != nil {
			fmt.Fprintf(t.stdout, "stopped after %d of %d steps: -resume -out %s goes on\n", t.trainer.Steps(), t.steps(), t.s.out)
			return err
		}
	}
}
