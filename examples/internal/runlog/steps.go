package runlog

import (
	"fmt"
	"io"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/record/live"
)

// saveEvery is the time between two checkpoints within an epoch.
const saveEvery = time.Minute

// Steps trains epoch by epoch and saves checkpoints.
type Steps struct {
	Members  collective.Communicator
	Trainer  *trainers.Trainer
	Logs     *Log
	Path     string // of the checkpoint
	PerEpoch int
	Stderr   io.Writer // for progress
	// View shows the progress of the whole run; nil for that of each epoch.
	View *live.View

	saved time.Time // of the last checkpoint
}

// Epoch trains to the end of the epoch, which counts from 1, or until all members stop.
func (s *Steps) Epoch(all *durable.Together, stream *batch.Stream, epoch int) error {
	show, pause := s.progress(epoch)
	defer pause()
	for s.Trainer.Steps() < epoch*s.PerEpoch {
		save, err := all.Next(time.Since(s.saved) >= saveEvery)
		if err != nil {
			return err
		}
		b, err := stream.Next()
		if err != nil {
			return err
		}
		if save {
			if err := s.Checkpoint(); err != nil {
				return err
			}
		}
		stats, err := s.Trainer.Step(b)
		if err != nil {
			return err
		}
		if err := show(stats); err != nil {
			return err
		}
	}
	return nil
}

// progress shows the steps of an epoch, until pause.
func (s *Steps) progress(epoch int) (show func(trainers.Stats) error, pause func()) {
	if s.View != nil {
		return s.View.Record, s.View.Pause
	}
	p := cli.NewProgress(s.Stderr, fmt.Sprintf("epoch %d", epoch), s.PerEpoch)
	return func(stats trainers.Stats) error {
		p.Show(stats.Step%s.PerEpoch+1, stats.Loss)
		return nil
	}, p.Close
}

// Close leaves the last state of the View where it is. A terminal that is gone is no
// error.
func (s *Steps) Close() {
	if s.View != nil {
		_ = s.View.Close()
	}
}

// Checkpoint saves the state. The logs go first, so that they are never behind.
func (s *Steps) Checkpoint() error {
	s.saved = time.Now()
	err := collective.OnFirst(s.Members, s.Logs.Flush)
	if err == nil {
		err = s.Trainer.Save(s.Path)
	}
	return errors.WithMessagef(err, "checkpoint at step %d", s.Trainer.Steps())
}
