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

// header says where the numbers come from and what they mean.
func (d *document) header(envs []suite.Environment, sections []*section, old *earlier) {
	d.add("# Results")
	d.add("Made by `go run ./benchmarks report` from the files of `go run ./benchmarks run`; not edited by hand. " +
		"benchmarks/README.md names the file that makes each part and each claim.")
	if len(envs) == 0 {
		d.add("The results folder does not say which machine this is.")
	}
	var all machines
	for _, e := range envs {
		all.addEnvironment(e)
	}
	for _, line := range old.machines {
		all.addLine(line)
	}
	for _, m := range all {
		d.add("%s", m.line())
	}
	if len(old.sections) > 0 {
		var names []string
		for _, o := range old.sections {
			names = append(names, o.name)
		}
		d.add("Kept from the report before, because there are no new results: %s.", strings.Join(names, "; "))
	}
	d.add("Losses are evaluated on the training set, or the named part of it, after the last step. They are medians over the seeds, with the smallest and the largest value " +
		"in brackets. Seconds are the time spent in training steps, including the building of the graphs in the first step, without evaluation and loading. " +
		"The time of a step is the mean over all steps but the first. Where only a few steps are timed, rare work such as inverses has the share that it has in a long run. " +
		"Peak memory is the largest resident memory of the run's process during training, including the data; the number in brackets is its growth since the data were loaded.")
	if slices.ContainsFunc(sections, func(s *section) bool { return s.maxJobs() > 1 }) {
		d.add("**Some runs ran in parallel (-jobs above 1): their times are not comparable.**")
	}
}

// summary adds the table of all claims.
func (d *document) summary(title string, claims []claim, sections []*section, old *earlier) {
	t := table{head: []string{"experiment", "claim", "here", "figures"}}
	for _, e := range experiments.All() {
		of := sectionsOf(sections, e)
		kept := old.rowsOf(title, e)
		t.rows = append(t.rows, kept...)
		if len(of) == 0 && len(kept) > 0 {
			continue
		}
		if len(of) == 0 && e.TimedAt(experiments.Small) && len(e.Accuracies)+len(e.Scores) > 0 {
			continue // the paper's tables show that it was not run
		}
		if len(of) == 0 {
			for _, f := range (&section{e: e}).findings(claims) {
				t.add(e.Name, f.text, string(notRun), "no results of this experiment")
			}
		}
		for _, s := range of {
			for _, f := range s.findings(claims) {
				t.add(s.heading(), f.text, "**"+string(f.verdict)+"**", f.detail)
			}
		}
	}
	d.add("## %s", title)
	d.add("%s", t.String())
}

func sectionsOf(all []*section, e *experiments.Experiment) []*section {
	var of []*section
	for _, s := range all {
		if s.e == e {
			of = append(of, s)
		}
	}
	return of
}

// section adds the section of one experiment at one scale.
func (d *document) section(s *section, figures []figure, folder string) {
	d.add("## %s", s.heading())
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
	if !s.hasRuns() {
		return
	}
	for _, t := range s.tables() {
		d.add("%s", t)
	}
	for _, note := range s.notes() {
		d.add("%s", note)
	}
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
