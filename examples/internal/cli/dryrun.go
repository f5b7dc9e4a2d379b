package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/benchmarks/dryrun"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// DryRunHelp describes the flag -dry-run.
const DryRunHelp = "take a few steps, say how many parameters there are and what memory and time the run will take, and end; nothing is written"

// DryRun is a run of which a few steps are measured.
type DryRun struct {
	Members collective.Communicator
	// New makes the run's trainer, with some options besides.
	New func(more ...trainers.Option) (*trainers.Trainer, error)
	// Batch is the mini-batch of step i.
	Batch         func(i int) graph.Batch
	Steps, Epochs int // of the run
}

// Run says what the run will take.
func (d *DryRun) Run(ctx context.Context, stdout io.Writer) error {
	whole, err := d.measure(ctx)
	if err != nil {
		return err
	}
	base := dryrun.Cost{}
	if whole.MetaStep() > 0 {
		if base, err = d.measure(ctx, trainers.EveryK(0)); err != nil {
			return err
		}
	}
	return collective.OnFirst(d.Members, func() error { return d.report(stdout, whole, base) })
}

func (d *DryRun) measure(ctx context.Context, more ...trainers.Option) (dryrun.Cost, error) {
	c, err := dryrun.Measure(ctx, func() (*trainers.Trainer, error) { return d.New(more...) }, d.Batch, dryrun.Least)
	return c, collective.JoinErrors(d.Members, err)
}

// report writes what the run takes, and what it takes without meta-steps.
func (d *DryRun) report(w io.Writer, whole, base dryrun.Cost) error {
	fmt.Fprintf(w, "%d parameters in %d arrays\n", whole.Parameters, whole.Arrays)
	if whole.Memory > 0 {
		fmt.Fprintf(w, "memory beside the data: %s", megabytes(whole.Memory))
		if base.Memory > 0 {
			fmt.Fprintf(w, ", %s without meta-steps", megabytes(base.Memory))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "a step: %s", milliseconds(whole.Step()))
	metaSteps := 0
	if t := whole.MetaStep(); t > 0 {
		fmt.Fprintf(w, ", a meta-step: %s, every %d steps or more rarely", milliseconds(t), whole.K)
		metaSteps = d.Steps / whole.K
	}
	total := whole.Total(d.Steps, metaSteps)
	_, err := fmt.Fprintf(w, "\n%d steps of %d epochs: about %s, without evaluations\n", d.Steps, d.Epochs, total.Round(time.Second))
	return err
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
}
