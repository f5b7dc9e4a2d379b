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

	saved time.Time // of the last checkpoint
}

// Epoch trains to the end of the epoch, which counts from 1, or until all members stop.
func (s *Steps) Epoch(all *durable.Together, stream *batch.Stream, epoch int) error {
	progress := cli.NewProgress(s.Stderr, fmt.Sprintf("epoch %d", epoch), s.PerEpoch)
	defer progress.Close()
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
		progress.Show(stats.Step%s.PerEpoch+1, stats.Loss)
	}
	return nil
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
