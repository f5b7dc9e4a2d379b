package suite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// checkpointEvery is the time between two checkpoints.
const checkpointEvery = time.Minute

func (t *training) checkpoint() string { return strings.TrimSuffix(t.order.Path, rawExt) + ".ckpt" }

// open creates the run's file or, on resuming, loads its checkpoint.
func (t *training) open() (err error) {
	durable.RemoveLeftovers(filepath.Dir(t.order.Path))
	if t.order.Resume {
		if _, statErr := os.Stat(t.checkpoint()); statErr == nil {
			if err := t.tr.Load(t.checkpoint()); err != nil {
				return err
			}
			t.log, t.seconds, t.evaluated, err = reopenLog(t.order.Path, t.tr.Steps())
			return err
		}
	}
	if err := t.removeCheckpoint(); err != nil {
		return err
	}
	t.log, err = createLog(t.order.Path, t.header)
	return err
}

// saveWhenDue saves a checkpoint if the last one is older than checkpointEvery.
func (t *training) saveWhenDue() error {
	if time.Since(t.saved) < checkpointEvery {
		return nil
	}
	return t.save()
}

// save writes a line with the time spent so far, then saves a checkpoint.
func (t *training) save() error {
	if err := t.log.write(Pause{Paused: true, Step: t.tr.Steps(), Seconds: t.seconds}); err != nil {
		return err
	}
	t.saved = time.Now()
	return t.tr.Save(t.checkpoint())
}

// pause saves the state of an interrupted run and returns the reason.
func (t *training) pause(ctx context.Context) error {
	if err := t.save(); err != nil {
		return err
	}
	return ctx.Err()
}

// finish writes the last line. failure is the reason why the run diverged, nil if it
// did not.
func (t *training) finish(memory memoryMeter, failure error) error {
	d := Done{Done: true, Steps: t.tr.Steps(), Seconds: t.seconds, PeakBytes: memory.peak(), StartBytes: memory.start}
	d.Notes, d.SkippedSteps, d.Fallbacks = t.tr.Notes(), t.tr.SkippedSteps(), t.tr.Fallbacks()
	d.SecondsPerStep = t.order.perStep(t.times, t.learned, t.rare)
	if len(t.times) > 0 {
		d.FirstSeconds = t.times[0]
	}
	if failure != nil {
		at := t.tr.Steps()
		d.DivergedAt, d.Message = &at, failure.Error()
	}
	if err := t.log.write(d); err != nil {
		return err
	}
	return t.removeCheckpoint()
}

// removeCheckpoint removes the checkpoint, if there is one.
func (t *training) removeCheckpoint() error {
	if err := os.Remove(t.checkpoint()); err != nil && !os.IsNotExist(err) {
		return errors.Wrap(err, "results")
	}
	return nil
}
