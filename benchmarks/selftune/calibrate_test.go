package selftune

import (
	"maps"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// The calibrated configuration has the lowest mean rank: here it is the second on all
// tasks, while the others are best on one task each and bad elsewhere.
func TestCalibratedByMeanRank(t *testing.T) {
	o := optionsOf(t, runName, "-out", t.TempDir(), "-configs", "3", "-optimizers", "prodigy-cosine")
	tasks, c := tuningTasks(), o.competitors[0]
	losses := [][]float64{{0.1, 0.2, 9}, {9, 0.2, 0.1}, {1e-6, 1e-3, 1}, {3, 2, 1}} // by task and configuration
	for i, task := range tasks {
		if v, err := o.calibratedValues(tasks, c); err != nil || v != nil {
			t.Fatalf("a configuration without all trials: %v, %v", v, err)
		}
		trials, err := o.trials(task, c)
		if err != nil {
			t.Fatal(err)
		}
		for k, j := range trials {
			store(t, o.dir, j, false, 10, losses[i][k])
		}
	}
	trials, err := o.trials(tasks[0], c)
	if err != nil {
		t.Fatal(err)
	}
	v, err := o.calibratedValues(tasks, c)
	if err != nil || !maps.Equal(v, trials[0].Values) { // ranks 1+3+1+3, 2+2+2+2, 3+1+3+1: the first of equals
		t.Errorf("%v, want %v (%v)", v, trials[0].Values, err)
	}
	diverging, err := o.trials(tasks[0], c)
	if err != nil {
		t.Fatal(err)
	}
	store(t, o.dir, diverging[0], true, 10, 0.1) // a run that diverges is the worst
	if v, err = o.calibratedValues(tasks, c); err != nil || !maps.Equal(v, trials[1].Values) {
		t.Errorf("%v, want %v (%v)", v, trials[1].Values, err)
	}
}

// A start multiplies the initial rates and nothing else; a method without has one start.
func TestStarts(t *testing.T) {
	o := optionsOf(t, runName, "-out", t.TempDir())
	task := taskNamed(t, "selftune-illcond")
	for _, e := range entriesOf(o.competitors) {
		v, err := e.defaults()
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := o.runs(task, e, v, 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{false: 1, true: 3}[e.competitor.starts()]; len(jobs) != want {
			t.Errorf("%s: %d jobs, want %d", e.label(), len(jobs), want)
		}
		for i, j := range jobs {
			want := maps.Clone(v)
			for _, name := range e.rates {
				want[name] *= starts[i].factor
			}
			if !maps.Equal(j.Values, want) {
				t.Errorf("%s from %s: %v, want %v", e.label(), starts[i].name, j.Values, want)
			}
			if e.Base != "" && j.Rate != 0.001*starts[i].factor {
				t.Errorf("%s from %s begins with the rate %v", e.label(), starts[i].name, j.Rate)
			}
		}
		names := map[string]bool{}
		for _, j := range jobs {
			names[j.Path("")] = true
		}
		if len(names) != len(jobs) {
			t.Errorf("%s: jobs share a file", e.label())
		}
	}
}

// The reference has two thirds of the steps of a run.
func TestReferenceSteps(t *testing.T) {
	o := optionsOf(t, runName, "-out", t.TempDir())
	nadamw, err := referenceMethod()
	if err != nil {
		t.Fatal(err)
	}
	task := taskNamed(t, "selftune-regression")
	trials, err := o.referenceTrials(task, nadamw)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := o.referenceRuns(task, nadamw, trials[3].Values)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range append([]suite.Job{trials[0]}, jobs...) {
		if c := j.Config; c.Steps != 600 || c.Decay.WarmUp != 30 || task.Scales[o.scale].Steps != 900 {
			t.Errorf("%d steps, %d of them warm-up", c.Steps, c.Decay.WarmUp)
		}
	}
	if len(trials) != 8 || len(jobs) != 10 {
		t.Errorf("%d trials, %d runs", len(trials), len(jobs))
	}
}
