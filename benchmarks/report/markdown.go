package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// document collects Markdown.
type document struct{ b strings.Builder }

func (d *document) add(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n\n", args...) }

// partOf is the part of a page about a section, whose figures are in a folder.
func partOf(s *section, figures []figure, folder string, claims, goals []claim) string {
	var d document
	for _, m := range s.machines() {
		d.add("%s", m.line())
	}
	if s.hasRuns() && len(s.machines()) == 0 {
		d.add("The results do not say which machine this is.")
	}
	d.add("%s: %s. Data: %s.", s.e.Figure, s.e.Title, s.e.Data)
	if s.hasRuns() {
		d.add("Here: %s.", s.setting())
	}
	if s.e.Choices != "" {
		d.add("Chosen where the paper is silent: %s.", s.e.Choices)
	}
	d.add("The paper: %s.", s.e.Paper)
	for _, f := range figures {
		d.add("![%s](%s/%s.png)", f.caption, folder, f.name)
	}
	if s.hasRuns() {
		for _, t := range s.tables() {
			d.add("%s", strings.TrimSpace(t))
		}
		for _, note := range s.notes() {
			d.add("%s", note)
		}
	}
	d.addClaims(claimsTitle, rowsOf(s, claims))
	d.addClaims(goalsTitle, rowsOf(s, goals))
	return d.b.String()
}

// tables are the tables of the section's results.
func (s *section) tables() []string {
	switch {
	case s.timed() && s.e.InPrecisions():
		return []string{s.extrapolation(), s.precisionTable(), s.settingsTable()}
	case s.timed() && !s.e.TimedAt(experiments.Paper):
		return []string{s.extrapolation(), s.settingsTable()}
	case s.timed():
		return []string{s.costTable()}
	}
	var all []string
	if s.e.Rates {
		all = append(all, s.rateTable())
	}
	if s.e.InPrecisions() {
		return append(all, s.precisionTable(), s.settingsTable())
	}
	switch s.e.Measure {
	case experiments.TestAccuracy:
		all = append(all, s.accuracyTable())
	case experiments.BLEU:
		all = append(all, s.bleuTable())
	default:
		all = append(all, s.lossTable())
	}
	if t := s.timeTable(); t != "" && !s.e.Rates {
		all = append(all, t)
	}
	return append(all, s.settingsTable())
}

// setting describes the setting of the runs.
func (s *section) setting() string {
	c, h := s.config, suite.Header{}
	if len(s.series) > 0 {
		h = s.series[0].header
	}
	text := fmt.Sprintf("%s, %d steps of batches of %s", s.e.Task.Describe(c), c.Steps, s.e.Task.Work(c).Count(c.Batch))
	if h.PerEpoch > 0 {
		text += fmt.Sprintf(" (%s of %d rows)", epochs(c.Steps, h.PerEpoch), h.Rows)
	}
	text += ", " + c.Dtype
	if c.L2 > 0 {
		text += fmt.Sprintf(", L2 penalty %g, which is not part of the losses below", c.L2)
	}
	if t, ok := s.e.Trials[s.scale]; ok && len(s.e.TunedAs) == 0 {
		text += fmt.Sprintf("; the search's trials are %d steps long", t.Steps)
	}
	if c.Rows > 0 {
		text += fmt.Sprintf("; the training loss is evaluated on the first %d rows", c.Rows)
	}
	return text
}

// notes are remarks on single runs and methods.
func (s *section) notes() []string {
	var all []string
	if s.parallel() {
		all = append(all, "Runs were parallel (`-jobs` above 1), or beside other work: times are left out, for they are not comparable.")
	}
	if s.unfinished > 0 {
		all = append(all, fmt.Sprintf("%d runs are unfinished and left out.", s.unfinished))
	}
	var missing, without []string
	for _, name := range s.e.MethodsAt(s.scale) {
		if !slices.ContainsFunc(s.series, func(r *series) bool { return r.method.Name == name }) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		all = append(all, "Not run: "+strings.Join(missing, ", ")+".")
	}
	for _, r := range s.series {
		if r.header.L2Left {
			without = append(without, r.label)
		}
		for _, note := range r.runs[0].Done.Notes {
			all = append(all, r.label+": "+note+".")
		}
		for _, run := range r.runs {
			if run.Done.DivergedAt != nil {
				all = append(all, fmt.Sprintf("%s, seed %d, diverged at step %d: %s.", r.label, run.Header.Seed, *run.Done.DivergedAt, run.Done.Message))
			}
		}
	}
	if len(without) > 0 {
		all = append(all, "The L2 penalty is left out because the optimizer has none: "+strings.Join(without, ", ")+".")
	}
	return all
}

func (s *section) maxJobs() int {
	n := 0
	for _, r := range s.series {
		for _, run := range r.runs {
			n = max(n, run.Header.Jobs)
		}
	}
	return n
}
