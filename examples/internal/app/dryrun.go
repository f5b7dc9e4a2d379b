package app

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/benchmarks/resident"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// The steps of -dry-run: three after the first, which builds the graphs, and up to dryMost
// for a second meta-step. Members must take equally many, so that no clock counts.
const (
	drySteps = 4
	dryMost  = 21
)

// cost is what some steps took.
type cost struct {
	step   time.Duration // the median of a step without its meta-step, the first one left out
	meta   time.Duration // a meta-step, 0 for none
	memory int64         // the peak above what there was before, in bytes; 0 where it is not known
}

// dryRun says what the run will take and ends.
func (t *training) dryRun(ctx context.Context) error {
	all, count := 0, 0
	for _, p := range graph.Learned(t.trainer.Params()) {
		all, count = all+p.Value.Shape().TotalSize(), count+1
	}
	whole, err := t.measure(ctx)
	if err := collective.JoinErrors(t.comm, err); err != nil {
		return err
	}
	base := cost{}
	if whole.meta > 0 {
		base, err = t.measure(ctx, trainers.EveryK(0))
	}
	if err := collective.JoinErrors(t.comm, err); err != nil {
		return err
	}
	return t.first(func() error {
		fmt.Fprintf(t.stdout, "%d parameters in %d arrays\n", all, count)
		if whole.memory > 0 {
			fmt.Fprintf(t.stdout, "memory beside the data: %s", megabytes(whole.memory))
			if base.memory > 0 {
				fmt.Fprintf(t.stdout, ", %s without meta-steps", megabytes(base.memory))
			}
			fmt.Fprintln(t.stdout)
		}
		fmt.Fprintf(t.stdout, "a step: %s", milliseconds(whole.step))
		total := time.Duration(t.steps()) * whole.step
		if whole.meta > 0 {
			k := t.trainer.K()
			fmt.Fprintf(t.stdout, ", a meta-step: %s, every %d steps or more rarely", milliseconds(whole.meta), k)
			total += time.Duration(t.steps()/k) * whole.meta
		}
		fmt.Fprintf(t.stdout, "\n%d steps of %d epochs: about %s, without evaluations\n", t.steps(), t.s.Epochs, total.Round(time.Second))
		return nil
	})
}

// measure takes some steps with a trainer of its own.
func (t *training) measure(ctx context.Context, opts ...trainers.Option) (c cost, err error) {
	debug.FreeOSMemory()
	resident.ResetPeak()
	before := resident.Peak()
	tr, err := t.newTrainer(opts...)
	if err != nil {
		return c, err
	}
	var steps []time.Duration
	most := drySteps
	if k := tr.K(); k < dryMost {
		most = max(most, k+1)
	}
	for i := range most {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		s, err := tr.Step(t.batches.At(i))
		if err != nil {
			return c, err
		}
		if s.MetaTime > 0 {
			c.meta = s.MetaTime
		}
		if i > 0 {
			steps = append(steps, s.BaseTime)
		}
	}
	slices.Sort(steps)
	c.step, c.memory = steps[len(steps)/2], max(0, resident.Peak()-before)
	return c, nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
}
