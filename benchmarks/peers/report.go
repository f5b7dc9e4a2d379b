package peers

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/pkg/errors"
)

// result has the measurements of a comparison.
type result struct {
	comparison
	sides []*side // this library's first
}

// report prints a line for each side, the ratios of this library to each other
// side, and the goals.
func (r result) report(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tmedian ms\tmin ms\tpeak MB\tover base\tversion\tBLAS\tthreads")
	for _, c := range r.sides {
		m := c.all[0]
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.0f\t%.0f\t%s\t%s\t%d\n", c.name, c.median(), c.min(), c.peak(), c.grown(), m.Version, m.BLAS, m.Threads)
	}
	ours := r.sides[0]
	for _, c := range r.sides[1:] {
		fmt.Fprintf(t, "%s/%s\t%.2f\t%.2f\t%.2f\t%.2f\n", ours.name, c.name, ours.median()/c.median(), ours.min()/c.min(), ours.peak()/c.peak(), ours.grown()/c.grown())
	}
	if len(ours.all[0].Targets) > 0 {
		for _, c := range r.sides[1:] {
			fmt.Fprintf(t, "targets equal to %s's\t%.1f %%\n", c.name, 100*equalTargets(ours.all[0].Targets, c.all[0].Targets))
		}
	}
	if r.goal != (goal{}) {
		memory := "-"
		if r.goal.memory > 0 {
			memory = fmt.Sprintf("%.2f", r.goal.memory)
		}
		fmt.Fprintf(t, "goal\t%.2f\t%.2f\t%s\n", r.goal.time, r.goal.time, memory)
	}
	return errors.Wrap(t.Flush(), "writing the report")
}

// summary prints, for all comparisons, the ratios of this library's times to those of the
// fastest other side and of its memory to that of the leanest, with the goals.
func summary(w io.Writer, all []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ours/PyTorch\ttime, median\ttime, min\tgoal\t\tmemory over base\tgoal\t\ttime of\tmemory of")
	for _, r := range all {
		ours, fast, lean := r.sides[0], fastest(r.sides[1:]), leanest(r.sides[1:])
		time, memory := ours.median()/fast.median(), ours.grown()/lean.grown()
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%s\t%.2f\t%s\t%s\t%s\n", r.net, time, ours.min()/fast.min(), verdict(time, r.goal.time),
			memory, verdict(memory, r.goal.memory), fast.name, lean.name)
	}
	return errors.Wrap(t.Flush(), "writing the report")
}

// verdict is the goal and whether the ratio, rounded as it is printed, meets it.
func verdict(ratio, goal float64) string {
	switch {
	case goal == 0:
		return "-\t"
	case ratio < goal+0.005:
		return fmt.Sprintf("%.2f\tmet", goal)
	}
	return fmt.Sprintf("%.2f\tmissed", goal)
}

// leanest is the side that needs the least memory over its base, the first of equals.
func leanest(sides []*side) *side {
	return slices.MinFunc(sides, func(a, b *side) int { return cmp.Compare(a.grown(), b.grown()) })
}

// fastest is the side with the least median time, the first of equals.
func fastest(sides []*side) *side {
	return slices.MinFunc(sides, func(a, b *side) int { return cmp.Compare(a.median(), b.median()) })
}
