package scaling

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pkg/errors"
)

// sumSizes are the bytes of sums to time, from 1 KiB on.
func (o *options) sumSizes() (all []int) {
	largest := int(o.largest*1e6) / 4 * 4
	for size := 1 << 10; size < largest; size *= 4 {
		all = append(all, size)
	}
	return append(all, largest)
}

// trials are all trainings to measure.
func (o *options) trials(mpirun bool) (all []*trial) {
	for _, n := range o.nets {
		for _, r := range o.rules {
			for _, b := range n.small {
				all = append(all, &trial{Net: n.name, Rule: r.name, Batch: b, Side: oneCore})
			}
			for _, b := range n.batches {
				all = append(all, &trial{Net: n.name, Rule: r.name, Batch: b, Side: counted})
			}
		}
		if !n.measured {
			continue
		}
		for _, r := range o.compared {
			for _, b := range n.batches {
				for _, side := range sides {
					if side != twoProcesses || mpirun {
						all = append(all, &trial{Net: n.name, Rule: r.name, Batch: b, Side: side})
					}
				}
			}
		}
	}
	return dropRepeated(all)
}

// dropRepeated leaves out trials that are there already.
func dropRepeated(all []*trial) (kept []*trial) {
	seen := make(map[string]bool)
	for _, t := range all {
		if !seen[t.String()] {
			seen[t.String()] = true
			kept = append(kept, t)
		}
	}
	return kept
}

// measure measures everything in turn over the rounds. What fails does not stop the rest. If
// ctx ends after a whole round, r has what is measured, and measure returns no error.
func (o *options) measure(ctx context.Context, l launcher, r *results, stdout io.Writer) error {
	r.Trials = o.trials(l.mpirun != nil)
	failed := make(map[string]bool)
	for round := range o.rounds {
		r.Rounds = round
		interrupted := func(err error) error {
			if round > 0 {
				return nil
			}
			return err
		}
		progress := func(name, outcome string) {
			fmt.Fprintf(stdout, "round %d of %d: %s: %s\n", round+1, o.rounds, name, outcome)
		}
		if l.mpirun != nil {
			m, err := l.run(ctx, job{Sums: o.sumSizes(), Cores: 1, Seconds: o.seconds / 4}, 2)
			if ctx.Err() != nil {
				return interrupted(ctx.Err())
			}
			if err != nil {
				return errors.WithMessage(err, "sums between two processes")
			}
			r.addSums(m.Sums)
			progress("sums of two processes", fmt.Sprintf("%s in %s", sizeText(lastOf(m.Sums).Bytes), timeText(median(lastOf(m.Sums).Seconds))))
		}
		for i, t := range r.Trials {
			if failed[t.String()] || t.Side == counted && round > 0 {
				continue
			}
			j, processes := t.job(o.seconds)
			m, err := l.run(ctx, j, processes)
			name := fmt.Sprintf("%d of %d, %s", i+1, len(r.Trials), t)
			if ctx.Err() != nil {
				return interrupted(ctx.Err())
			}
			if err != nil {
				failed[t.String()] = true
				r.Failed = append(r.Failed, fmt.Sprintf("%s: %v", t, err))
				progress(name, "failed: "+err.Error())
				continue
			}
			t.Steps, t.Parameters, t.Largest = append(t.Steps, m.Steps...), m.Parameters, m.Largest
			progress(name, timeText(t.mean(median, seconds))+" a step")
		}
	}
	r.Rounds = o.rounds
	return nil
}

func lastOf(all []sumTimes) sumTimes { return all[len(all)-1] }

// timeText is a time in a unit that suits it.
func timeText(s float64) string {
	switch {
	case s < 1e-3:
		return fmt.Sprintf("%.1f µs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.2f ms", s*1e3)
	}
	return fmt.Sprintf("%.2f s", s)
}

// sizeText is a number of bytes, with a binary unit where it has one.
func sizeText(bytes int) string {
	switch {
	case bytes%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", bytes>>20)
	case bytes%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(bytes)/1e6), ".0") + " MB"
}
