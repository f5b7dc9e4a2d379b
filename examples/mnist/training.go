package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// evaluationBatch is the number of rows evaluated at once.
const evaluationBatch = 1000

// saveEvery is the time between two checkpoints within an epoch.
const saveEvery = time.Minute

// training is a run with its files.
type training struct {
	s              settings
	trainer        *trainers.Trainer
	batches        *trainers.Batches
	test           trainers.Data
	logs           *runlog.Log
	saved          time.Time // of the last checkpoint
	stdout, stderr io.Writer
}

func newTraining(s settings, train, test trainers.Data, stdout, stderr io.Writer) (*training, error) {
	batches, err := trainers.NewBatches(train, s.Batch, s.Seed)
	if err != nil {
		return nil, cli.AsUsage(err)
	}
	t := &training{s: s, batches: batches, test: test, logs: &runlog.Log{Epochs: []string{"test_loss", "test_accuracy"}}, stdout: stdout, stderr: stderr}
	model, err := s.model()
	if err != nil {
		return nil, err
	}
	optimizer, err := s.optimizer()
	if err != nil {
		return nil, err
	}
	opts, err := s.options(t.steps())
	if err != nil {
		return nil, err
	}
	// B' is drawn anew for each step, from the step's number alone: a resumed
	// run sees the same ones.
	opts = append(opts, trainers.TildeFrom(batches.TildeAt), trainers.Record(t.logs))
	t.trainer, err = trainers.New(model, graph.SoftmaxCrossEntropy, optimizer, opts...)
	return t, cli.AsUsage(err)
}

// steps is the number of steps of the whole run.
func (t *training) steps() int { return t.s.Epochs * t.batches.PerEpoch() }

func (t *training) path(name string) string { return filepath.Join(t.s.out, name) }

// start prepares the folder of a new run. With the checkpoint before the first step
// the run can be resumed from the beginning.
func (t *training) start() error {
	if err := runlog.Clear(t.s.out, "checkpoint", "weights.safetensors", "loss.png", "rate.png", "precond.png"); err != nil {
		return err
	}
	if err := t.logs.Open(t.s.out, 0); err != nil {
		return err
	}
	if err := t.checkpoint(); err != nil {
		return err
	}
	return t.s.write()
}

// resume loads the checkpoint and cuts the logs to its step.
func (t *training) resume() error {
	if err := t.trainer.Load(t.path("checkpoint")); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "resuming at step %d of %d\n", t.trainer.Steps(), t.steps())
	if err := t.s.write(); err != nil { // the number of epochs may be new
		return err
	}
	return t.logs.Open(t.s.out, t.trainer.Steps())
}

// run trains until the end or until the context ends. Either way what is done
// is in the files.
func (t *training) run(ctx context.Context) error {
	err := t.epochs(ctx)
	if closeErr := t.logs.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := t.trainer.SaveWeights(t.path("weights.safetensors")); err != nil {
		return err
	}
	if err := drawCharts(t.s); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "results in %s\n", t.s.out)
	return nil
}

func (t *training) epochs(ctx context.Context) error {
	perEpoch := t.batches.PerEpoch()
	for t.trainer.Steps() < t.steps() {
		epoch := t.trainer.Steps()/perEpoch + 1
		start := time.Now()
		err := t.epoch(ctx, epoch)
		if errors.Is(err, context.Canceled) {
			return t.interrupt(err)
		}
		if err != nil {
			return err
		}
		result, err := t.trainer.Evaluate(t.test, evaluationBatch)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.stdout, "epoch %d of %d: test loss %.4f, accuracy %.2f%%, %s%.1f s\n",
			epoch, t.s.Epochs, result.Loss, 100*result.Accuracy, cli.Rates(t.trainer.Rates()), time.Since(start).Seconds())
		if err := t.logs.Epoch(epoch, t.trainer.Steps(), result.Loss, result.Accuracy); err != nil {
			return err
		}
		if err := t.checkpoint(); err != nil {
			return err
		}
	}
	return nil
}

// epoch trains to the end of the epoch.
func (t *training) epoch(ctx context.Context, epoch int) error {
	perEpoch := t.batches.PerEpoch()
	progress := cli.NewProgress(t.stderr, fmt.Sprintf("epoch %d", epoch), perEpoch)
	defer progress.Close()
	for step := t.trainer.Steps(); step < epoch*perEpoch; step++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.saveSometimes(); err != nil {
			return err
		}
		stats, err := t.trainer.Step(t.batches.At(step))
		if err != nil {
			return err
		}
		progress.Show(step%perEpoch+1, stats.Loss)
	}
	return nil
}

// interrupt saves the state and returns the reason, or what went wrong.
func (t *training) interrupt(reason error) error {
	if err := t.checkpoint(); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "stopped after %d of %d steps: -resume -out %s goes on\n", t.trainer.Steps(), t.steps(), t.s.out)
	return reason
}

// checkpoint saves the state. The logs go first, so that they are never behind.
func (t *training) checkpoint() error {
	if err := t.logs.Flush(); err != nil {
		return err
	}
	t.saved = time.Now()
	return t.trainer.Save(t.path("checkpoint"))
}

// saveSometimes saves the state if that was last done a while ago.
func (t *training) saveSometimes() error {
	if time.Since(t.saved) < saveEvery {
		return nil
	}
	return t.checkpoint()
}
