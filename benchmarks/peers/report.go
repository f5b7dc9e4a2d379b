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
	sides  []*side // this library's first, then PyTorch's
	others []*side // those of -others
}

// all are all sides.
func (r result) all() []*side { return slices.Concat(r.sides, r.others) }

// report prints a line for each side, the ratios of this library to each other
// side, and the goals.
func (r result) report(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tmedian ms\tmin ms\tpeak MB\tover base\tversion\tBLAS\tthreads")
	for _, c := range r.all() {
		m := c.all[0]
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.0f\t%.0f\t%s\t%s\t%d\n", c.name, c.median(), c.min(), c.peak(), c.grown(), m.Version, m.BLAS, m.Threads)
	}
	ours := r.sides[0]
	for _, c := range r.all()[1:] {
		fmt.Fprintf(t, "%s/%s\t%.2f\t%.2f\t%.2f\t%.2f\n", ours.name, c.name, ours.median()/c.median(), ours.min()/c.min(), ours.peak()/c.peak(), ours.grown()/c.grown())
	}
	if len(ours.all[0].Targets) > 0 {
		for _, c := range r.sides[1:] {
			fmt.Fprintf(t, "targets equal to %s's\t%.1f %%\n", c.name, 100*equalTargets(ours.all[0].Targets, c.all[0].Targets))
		}
	}
	if len(r.sides) > 1 && r.goal != (goal{}) {
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

// aloneName is the side that is this library without any other.
const aloneName = "alone"

// summaryAlone prints, for the nets that were measured without other libraries, the ratios
// of that time to the one with them and to that of the fastest other library in Go.
func summaryAlone(w io.Writer, all []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "alone\ttime/with libraries\tgoal\t\ttime/other Go libraries\tgoal\t\ttime of")
	for _, r := range all {
		i := slices.IndexFunc(r.others, func(c *side) bool { return c.name == aloneName })
		if i < 0 {
			continue
		}
		own := r.others[i]
		ratio := own.median() / r.sides[0].median()
		fmt.Fprintf(t, "%s\t%.2f\t%s", r.net, ratio, verdict(ratio, r.goal.alone))
		if rest := slices.Delete(slices.Clone(r.others), i, i+1); len(rest) > 0 {
			fast := fastest(rest)
			ratio := own.median() / fast.median()
			fmt.Fprintf(t, "\t%.2f\t%s\t%s", ratio, verdict(ratio, 1), fast.name)
		}
		fmt.Fprintln(t)
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
