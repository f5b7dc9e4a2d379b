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
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/layers/search"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
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
	corpus         corpus
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

// newTraining prepares a run in -out, a new one or that which is there.
func (s *settings) newTraining(c corpus, resume bool, stdout, stderr io.Writer) (t *training, err error) {
	t = &training{settings: s, corpus: c, stdout: stdout, stderr: stderr, logs: &runlog.Log{Epochs: columns}}
	if resume {
		t.encoding, err = s.encoding()
	} else {
		if err := runlog.Clear(s.out, checkpointFile, weightsFile, bestFile, resultFile, "loss.png", "bleu.png", "attention.png"); err != nil {
			return nil, err
		}
		t.encoding, err = s.encode(c)
	}
	if err != nil {
		return nil, err
	}
	t.model = s.model(t.encoding.Vocabulary.Size())
	e := t.encoding
	sentences, err := batch.NewSentences(e.EncodeAll(c.train.Source), e.EncodeAll(c.train.Target), batch.TokenConfig{Tokens: s.Tokens, DropLong: true})
	if err != nil {
		return nil, errors.WithMessage(err, c.train.Title)
	}
	if t.batches, err = batch.NewTokenBatches(sentences, s.Seed); err != nil {
		return nil, err
	}
	if n := sentences.Dropped(); n > 0 {
		fmt.Fprintf(stdout, "%d pairs of the training set are too long and left out\n", n)
	}
	if err := t.newTrainer(); err != nil {
		return nil, cli.AsUsage(err)
	}
	if t.valid, err = newValidation(e, c.valid, s.Tokens); err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "%v, %v, %v; %d tokens in the vocabulary, %d steps in an epoch\n", c.train, c.valid, c.test, e.Vocabulary.Size(), t.batches.PerEpoch())
	if resume {
		return t, t.resume()
	}
	return t, t.start()
}

func (t *training) newTrainer() error {
	o, err := t.optimizer()
	if err != nil {
		return err
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
		return err
	}
	opts = append(opts, trainers.Seed(t.Seed), trainers.WithSchedule(schedule), trainers.TildeFrom(t.batches.TildeAt), trainers.Record(t.logs))
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
	t.trainer, err = trainers.New(t.model, loss, o, opts...)
	t.loop = runlog.Steps{Trainer: t.trainer, Logs: t.logs, Path: t.path(checkpointFile), PerEpoch: t.batches.PerEpoch(), Stderr: t.stderr}
	return err
}

func (t *training) path(name string) string { return filepath.Join(t.out, name) }

// start writes the files of a new run, the settings last: with them it can be resumed.
func (t *training) start() error {
	if err := t.logs.Open(t.out, 0); err != nil {
		return err
	}
	if err := t.loop.Checkpoint(); err != nil {
		return err
	}
	return runlog.WriteSettings(t.out, t.settings, nil)
}

// resume loads the checkpoint and cuts the logs to its step.
func (t *training) resume() error {
	if err := t.trainer.Load(t.path(checkpointFile)); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "resuming at step %d of %d\n", t.trainer.Steps(), t.steps())
	if err := runlog.WriteSettings(t.out, t.settings, nil); err != nil {
		return err
	}
	if err := t.logs.Open(t.out, t.trainer.Steps()); err != nil {
		return err
	}
	var err error
	t.history, err = readHistory(t.out)
	return err
}

func (t *training) steps() int { return t.Epochs * t.batches.PerEpoch() }

// run trains until the end or until the context ends. Either way what is done is in the
// files.
func (t *training) run(ctx context.Context) error {
	err := t.epochs(ctx)
	if closeErr := t.logs.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		if errors.Is(err, context.Canceled) {
			fmt.Fprintf(t.stdout, "stopped after %d of %d steps: -resume -out %s goes on\n", t.trainer.Steps(), t.steps(), t.out)
		}
		return err
	}
	return t.finish(ctx)
}

func (t *training) epochs(ctx context.Context) error {
	stream := t.batches.Stream(ctx, t.trainer.Steps())
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
		err := t.loop.Epoch(stream, done/per+1)
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
