package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/layers/search"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/record/live"
	"github.com/apo-gorgonia/apo/trainers/text"
)

// The files of a run beside its logs and pictures.
const (
	checkpointFile = "checkpoint"
	weightsFile    = "weights.safetensors"
	bestFile       = "best.safetensors"
	resultFile     = "result.json"
)

// training is a run with its files.
type training struct {
	*settings
	comm           collective.Communicator
	corpus         corpus
	codes          *text.Codes // nil for a run that goes on
	encoding       text.Encoding
	model          *layers.TransformerModel
	trainer        *trainers.Trainer
	batches        *batch.TokenBatches
	valid          *validation
	greedy         *search.Searcher
	logs           *runlog.Log
	history        []epoch
	loop           runlog.Steps
	stdout, stderr io.Writer
}

// newTraining prepares a run, a new one or, with resume, that in -out. It writes nothing.
func (s *settings) newTraining(comm collective.Communicator, c corpus, resume bool, stdout, stderr io.Writer) (t *training, err error) {
	params, err := runlog.Params(s, nil)
	if err != nil {
		return nil, err
	}
	logs := &runlog.Log{Epochs: columns, Further: s.Log, Experiment: "translate", Params: params}
	t = &training{settings: s, comm: comm, corpus: c, stdout: stdout, stderr: stderr, logs: logs}
	if err := collective.JoinErrors(comm, t.encode(resume)); err != nil {
		return nil, err
	}
	return t, collective.JoinErrors(comm, t.prepare())
}

// first has rank 0 do what is for one member alone.
func (t *training) first(do func() error) error { return collective.OnFirst(t.comm, do) }

// encode has the words' parts: those of the run in -out, or new ones.
func (t *training) encode(resume bool) (err error) {
	if resume {
		t.encoding, err = t.settings.readEncoding()
		return err
	}
	t.codes, t.encoding, err = t.learnEncoding(t.corpus)
	return err
}

// clear removes what an earlier run left in -out, and writes the words' parts.
func (t *training) clear() error {
	if err := runlog.Clear(t.out, checkpointFile, weightsFile, bestFile, resultFile, "loss.png", "bleu.png", "attention.png"); err != nil {
		return err
	}
	return t.writeEncoding(t.codes, t.encoding)
}

// prepare makes batches, net and trainer.
func (t *training) prepare() (err error) {
	e, c := t.encoding, t.corpus
	t.model = t.settings.model(e.Vocabulary.Size())
	sentences, err := batch.NewSentences(e.EncodeAll(c.train.Source), e.EncodeAll(c.train.Target), batch.TokenConfig{Tokens: t.Tokens, DropLong: true})
	if err != nil {
		return errors.WithMessage(err, c.train.Title)
	}
	if t.batches, err = batch.NewTokenBatches(sentences, t.Seed); err != nil {
		return err
	}
	if n := sentences.Dropped(); n > 0 {
		fmt.Fprintf(t.stdout, "%d pairs of the training set are too long and left out\n", n)
	}
	if t.trainer, err = t.newTrainer(); err != nil {
		return cli.AsUsage(err)
	}
	t.loop = runlog.Steps{Members: t.comm, Trainer: t.trainer, Logs: t.logs, Path: t.path(checkpointFile), PerEpoch: t.batches.PerEpoch(), Stderr: t.stderr}
	if t.live {
		t.loop.View = live.New(t.stderr, live.Config{Title: "Transformer on " + t.Data, Steps: t.steps(), Examples: t.Tokens, Unit: "tokens"})
	}
	if t.valid, err = newValidation(e, c.valid, t.Tokens); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%v, %v, %v; %d tokens in the vocabulary, %d steps in an epoch\n", c.train, c.valid, c.test, e.Vocabulary.Size(), t.batches.PerEpoch())
	return nil
}

// newTrainer makes a trainer of the settings, with some options besides.
func (t *training) newTrainer(more ...trainers.Option) (*trainers.Trainer, error) {
	o, err := t.optimizer()
	if err != nil {
		return nil, err
	}
	schedule := trainers.Constant()
	switch {
	case t.Schedule == "inverse-sqrt":
		schedule = trainers.InverseSqrt(max(t.WarmUp, 1))
	case t.WarmUp > 0:
		schedule = trainers.WarmUp(t.WarmUp, schedule)
	}
	opts, err := cli.PrecisionOptions(t.Precision)
	if err != nil {
		return nil, err
	}
	opts = append(opts, trainers.Seed(t.Seed), trainers.WithSchedule(schedule), trainers.TildeFrom(t.batches.TildeAt), trainers.Parallel(t.comm))
	switch {
	case t.APO == "none" && !learnsPrecond(o):
		opts = append(opts, trainers.EveryK(0))
	case t.K != nil:
		opts = append(opts, trainers.EveryK(*t.K))
	}
	if t.FSD != nil {
		opts = append(opts, trainers.FSD(*t.FSD))
	}
	if t.WSD != nil {
		opts = append(opts, trainers.WSD(*t.WSD))
	}
	loss := graph.TokenCrossEntropy(graph.TokenSettings{Padding: text.Padding, Smoothing: t.Smoothing})
	return trainers.New(t.model, loss, o, append(opts, more...)...)
}

// dryRun says what the run will take.
func (t *training) dryRun(ctx context.Context) error {
	d := cli.DryRun{Members: t.comm, New: t.newTrainer, Batch: t.batches.At, Steps: t.steps(), Epochs: t.Epochs}
	return d.Run(ctx, t.stdout)
}

func (t *training) path(name string) string { return filepath.Join(t.out, name) }

// start writes the files of a new run, the settings last: with them it can be resumed.
func (t *training) start() error {
	if err := t.first(func() error {
		if err := t.clear(); err != nil {
			return err
		}
		return t.logs.Open(t.out, t.trainer)
	}); err != nil {
		return err
	}
	if err := t.loop.Checkpoint(); err != nil {
		return err
	}
	return t.first(t.writeSettings)
}

func (t *training) writeSettings() error { return runlog.WriteSettings(t.out, t.settings, nil) }

// resume loads the checkpoint and cuts the logs to its step.
func (t *training) resume() error {
	if err := collective.JoinErrors(t.comm, t.trainer.Load(t.path(checkpointFile))); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "resuming at step %d of %d\n", t.trainer.Steps(), t.steps())
	if err := t.first(func() error {
		if err := t.writeSettings(); err != nil {
			return err
		}
		return t.logs.Open(t.out, t.trainer)
	}); err != nil {
		return err
	}
	var err error
	t.history, err = readHistory(t.out)
	return collective.JoinErrors(t.comm, err)
}

func (t *training) steps() int { return t.Epochs * t.batches.PerEpoch() }

// run trains until the end or until the context ends. Either way what is done is in the
// files.
func (t *training) run(ctx context.Context) error {
	err := t.epochs(ctx)
	t.loop.Close()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(t.stdout, "stopped after %d of %d steps: -resume -out %s goes on\n", t.trainer.Steps(), t.steps(), t.out)
	}
	if err == nil {
		err = t.finish(ctx)
	}
	if err != nil {
		_ = t.logs.Close()
		return err
	}
	t.logs.Finish()
	return t.first(t.logs.Close)
}

func (t *training) epochs(ctx context.Context) error {
	all := durable.NewTogether(ctx, t.comm)
	stream := t.batches.Stream(all.Context(), t.trainer.Steps())
	defer stream.Close()
	per := t.batches.PerEpoch()
	for start := time.Now(); ; start = time.Now() {
		done := t.trainer.Steps()
		// An epoch is saved before its evaluation: where the program is stopped there,
		// -resume evaluates it.
		if done > 0 && done%per == 0 && len(t.history) < done/per {
			if err := t.evaluate(ctx, start); err != nil {
				return err
			}
		}
		if done >= t.steps() {
			return nil
		}
		err := t.loop.Epoch(all, stream, done/per+1)
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if saveErr := t.loop.Checkpoint(); saveErr != nil {
			return saveErr
		}
		if err != nil {
			return err
		}
		if err := t.trained(start); err != nil {
			return err
		}
	}
}

// trained says how long the steps of an epoch took.
func (t *training) trained(start time.Time) error {
	_, err := fmt.Fprintf(t.stdout, "epoch %d of %d: trained in %.1f s\n", t.trainer.Steps()/t.batches.PerEpoch(), t.Epochs, time.Since(start).Seconds())
	return err
}
