package selftune

import (
	"fmt"
	"slices"
	"strings"
)

// markdown is the report.
func (r *results) markdown(all []comparison, pictures []string) string {
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n\n", args...) }
	add("# Training without tuning")
	add("%s", r.summary(all))
	add("%s", r.rules())
	add("## Areas under the performance profiles")
	b.WriteString(r.areaTable(all) + "\n")
	for _, p := range pictures {
		add("![%s](%s.svg)", strings.ReplaceAll(p, "-", " "), p)
	}
	add("## Pairs")
	add("%s", pairRules)
	for _, c := range all {
		if best := c.best(true); best != nil {
			add("By %s, %s:", c.name, best.label())
			b.WriteString(c.pairTable(best) + "\n")
		}
	}
	add("## Tasks")
	b.WriteString(r.taskTable() + "\n")
	add("## Configurations")
	b.WriteString(r.settingTable() + "\n")
	if len(r.left) > 0 {
		add("## Left out")
		add("- %s", strings.Join(r.left, "\n- "))
	}
	add("## Machines")
	for _, e := range r.machines {
		add("- %s, %s, %s, BLAS %s, commit %s, from %s", e.Processor(), e.OS, e.Go, e.BLAS, e.Commit, e.Date)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

var pairRules = fmt.Sprintf("This project's method with the largest area against all others, paired by task and seed; pairs.csv has those of the rest. "+
	"The factor is the geometric mean of its times over the other's, in which a run that misses the target counts twice the task's longest run. "+
	"p is of the two-sided Wilcoxon signed-rank test, exact; Holm's correction is over all pairs in pairs.csv by the same clock. "+
	"The verdict is no difference unless the corrected p is below %g.", significance)

// rules says in a few words how the numbers are made.
func (r *results) rules() string {
	var names []string
	for _, s := range r.o.starts {
		names = append(names, fmt.Sprintf("%g", s.factor))
	}
	return fmt.Sprintf("Every method has one configuration for all tasks: its authors' defaults, or the one that was calibrated on the tuning tasks, with as many tried for each method. "+
		"No setting of a task is touched. Runs start from the configuration's learning rate times %s; a method without an initial rate starts once, and its runs count for each. "+
		"The target of a task is the median of the best values of NAdamW tuned on it, in two thirds of a run's steps. "+
		"Times are medians over %s; seconds are those of each method's fastest seed on the same CPU, for other work on the machine only adds. The area is that under the share of tasks and starts whose target a method reaches within τ times the fastest method's time, from τ = 1 to %g, divided by %g.",
		strings.Join(names, ", "), r.seedsText(), r.o.limit, r.o.limit-1)
}

// summary compares the best entry of this project with the best of the others.
func (r *results) summary(all []comparison) string {
	var lines []string
	for _, c := range all {
		ours, others := c.best(true), c.best(false)
		text := fmt.Sprintf("By %s, on %d tasks from %d starts, %s:", c.name, len(r.tasks), len(r.o.starts), r.seedsText())
		for _, s := range []*score{ours, others} {
			if s != nil {
				text += fmt.Sprintf(" %s has the area %.3f and reaches %d of %d targets;", s.label(), s.area, s.reached, len(s.ratios))
			}
		}
		if p := c.between(ours, others); p != nil {
			text += fmt.Sprintf(" in pairs the first is %.2f times the second's time, %s (p = %.2g)", p.factor, p.verdict, p.holm)
		}
		lines = append(lines, strings.TrimSuffix(text, ";")+".")
	}
	return strings.Join(lines, "\n")
}

// seedsText is the number of seeds in words: from the fewest to the most of a task.
func (r *results) seedsText() string {
	used := r.seedsUsed()
	switch least, most := used[0], used[len(used)-1]; {
	case most == 1:
		return "1 seed"
	case least == most:
		return fmt.Sprintf("%d seeds", most)
	default:
		return fmt.Sprintf("%d to %d seeds", least, most)
	}
}

// best is the score with the largest area of this project's or of the other entries, nil
// for none.
func (c comparison) best(apo bool) *score {
	for _, s := range c.ranked() {
		if s.apo == apo {
			return &s
		}
	}
	return nil
}

// between is the pair of two scores, nil for none.
func (c comparison) between(a, b *score) *pair {
	if a == nil || b == nil {
		return nil
	}
	for _, p := range c.pairs {
		if p.a.label() == a.label() && p.b.label() == b.label() {
			return &p
		}
	}
	return nil
}

// table is a table of Markdown.
func table(head []string, rows [][]string) string {
	var b strings.Builder
	for _, row := range slices.Concat([][]string{head, slices.Repeat([]string{"---"}, len(head))}, rows) {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

// areaTable has a row for each entry, from the largest area by the first clock down.
func (r *results) areaTable(all []comparison) string {
	head := []string{"method", "configuration"}
	for _, c := range all {
		head = append(head, "area by "+c.name, "targets reached")
	}
	var rows [][]string
	for _, s := range all[0].ranked() {
		name := s.Label
		if s.apo {
			name = "**" + name + "**"
		}
		row := []string{name, s.config}
		for _, c := range all {
			other := c.scores[slices.IndexFunc(c.scores, func(o score) bool { return o.label() == s.label() })]
			row = append(row, fmt.Sprintf("%.3f", other.area), fmt.Sprintf("%d of %d", other.reached, len(other.ratios)))
		}
		rows = append(rows, row)
	}
	return table(head, rows)
}

// pairTable has the comparisons of one entry.
func (c comparison) pairTable(of *score) string {
	var rows [][]string
	for _, p := range c.pairs {
		if p.a.label() != of.label() {
			continue
		}
		rows = append(rows, []string{
			p.b.label(), fmt.Sprintf("%.2f", p.factor), fmt.Sprintf("%d of %d", p.n, p.of),
			fmt.Sprintf("%.2g", p.p), fmt.Sprintf("%.2g", p.holm), string(p.verdict),
		})
	}
	return table([]string{"against", "factor", "differences", "p", "p (Holm)", "verdict"}, rows)
}

func (r *results) taskTable() string {
	var rows [][]string
	for _, t := range r.tasks {
		c, ref := t.Scales[r.o.scale], t.reference[0]
		rows = append(rows, []string{
			t.Title, t.Task.Describe(c), t.Task.Work(c).Count(c.Batch), fmt.Sprint(c.Steps), fmt.Sprint(len(t.seeds)),
			valueName(t.Measure, ref.Evaluations[0]), fmt.Sprintf("%.4g", t.target), fmt.Sprintf("%.3g", ref.Header.Values["lr"]),
			fmt.Sprintf("%.0f", ref.Done.Seconds),
		})
	}
	return table([]string{"held-out task", "net", "batch", "steps", "seeds", "value", "target", "NAdamW's tuned rate", "its seconds"}, rows)
}

func (r *results) settingTable() string {
	var rows [][]string
	for _, e := range r.entries {
		h := r.values(e)
		var words []string
		space, err := e.SearchSpace("")
		if err != nil { // impossible: a test reads the embedded files
			continue
		}
		for _, d := range space {
			words = append(words, fmt.Sprintf("%s %.3g", d.Name, h.Values[d.Name]))
		}
		if h.Rate != 0 {
			words = append(words, fmt.Sprintf("initial rate %.3g", h.Rate))
		}
		rows = append(rows, []string{e.label(), strings.Join(words, ", ")})
	}
	var tasks []string
	for _, t := range tuningTasks() {
		tasks = append(tasks, t.Title)
	}
	return "Calibrated on: " + strings.Join(tasks, "; ") + ".\n\n" + table([]string{"method", "hyperparameters"}, rows)
}
