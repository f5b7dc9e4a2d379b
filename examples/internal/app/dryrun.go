package app

import (
	"context"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
)

// dryRun says what the run will take and ends.
func (t *training) dryRun(ctx context.Context) error {
	d := cli.DryRun{Members: t.comm, New: t.newTrainer, Batch: t.batches.At, Steps: t.steps(), Epochs: t.s.Epochs}
	return d.Run(ctx, t.stdout)
}
