package dryrun

import (
	"context"
	"runtime/debug"

	"github.com/apo-gorgonia/apo/benchmarks/resident"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// Least is the usual number of steps: the first one and three others.
const Least = 4

// most bounds the steps that are taken for a second meta-step.
const most = 21

// Measure takes so many steps (least) with a new trainer, at least one, and up to 21 if the
// second meta-step is among them. The number depends on the trainer's settings alone, not on
// a clock: members of a group take equally many. batch is the mini-batch of step i.
func Measure(ctx context.Context, newTrainer func() (*trainers.Trainer, error), batch func(i int) graph.Batch, least int) (c Cost, err error) {
	debug.FreeOSMemory()
	resident.ResetPeak()
	before := resident.Peak()
	tr, err := newTrainer()
	if err != nil {
		return c, err
	}
	for _, p := range graph.Learned(tr.Params()) {
		c.Parameters, c.Arrays = c.Parameters+p.Value.Shape().TotalSize(), c.Arrays+1
	}
	c.K = tr.K()
	n := max(1, least)
	if c.K > 0 && c.K < most {
		n = max(n, c.K+1)
	}
	for i := range n {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		s, err := tr.Step(batch(i))
		if err != nil {
			return c, err
		}
		c.Steps = append(c.Steps, s)
	}
	c.Memory = max(0, resident.Peak()-before)
	return c, nil
}
