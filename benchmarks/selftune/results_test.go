package selftune

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

func TestTargetsAndTimes(t *testing.T) {
	run := func(values ...float64) *suite.Run {
		r := &suite.Run{Done: &suite.Done{}}
		for i, v := range values {
			r.Evaluations = append(r.Evaluations, suite.Evaluation{Step: 10 * i, Seconds: float64(i), TrainLoss: suite.Number(v)})
		}
		return r
	}
	m := experiments.TrainingLoss
	if target := targetOf(m, []*suite.Run{run(9, 3, 4), run(9, 5, 1), run(9, math.NaN(), 2)}); target != 2 {
		t.Errorf("the median of the best values 3, 1 and 2 is %v", target)
	}
	for _, c := range []struct {
		run  *suite.Run
		want cost
	}{
		{run(9, 3, 2, 1), cost{20, 2}},
		{run(9, 3, 2.1, 2.1), never},
		{run(1, 3, 3), never}, // the weights before the first step do not count
		{run(9, math.NaN(), 1), cost{20, 2}},
	} {
		if got := timeTo(m, c.run, 2); got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
	accuracy, loss := suite.Number(0.75), suite.Number(3)
	e := suite.Evaluation{TrainLoss: 1, TestLoss: &loss, Accuracy: &accuracy}
	if value(experiments.TestAccuracy, e) != 0.25 || value(m, e) != 3 || value(m, suite.Evaluation{TrainLoss: 1}) != 1 {
		t.Error("the value is not the error rate, the test loss, or the training loss")
	}
}

// storeComparison stores runs of two tasks by a method with an initial rate and one without.
// steps are those to the target, 0 for a run that misses it.
func storeComparison(t *testing.T, o *options, seeds int, steps func(task string, e entry, s start, seed int) int) {
	t.Helper()
	nadamw, err := referenceMethod()
	if err != nil {
		t.Fatal(err)
	}
	losses := func(at int) []float64 {
		l := slices.Repeat([]float64{1}, 11)
		for i := range l {
			if at > 0 && 10*i >= at {
				l[i] = 0.1
			}
		}
		return l
	}
	for _, task := range o.tasks {
		refs, err := o.referenceRuns(task, nadamw, nil)
		if err != nil {
			t.Fatal(err)
		}
		store(t, o.dir, refs[0], false, losses(10)...)
		for _, e := range entriesOf(o.competitors) {
			for seed := 1; seed <= seeds; seed++ {
				jobs, err := o.runs(task, e, nil, seed)
				if err != nil {
					t.Fatal(err)
				}
				for i, j := range jobs {
					store(t, o.dir, j, false, losses(steps(task.Name, e, o.starts[i], seed))...)
				}
			}
		}
	}
}

// Two tasks from two starts. Adam-APO needs 20 steps everywhere. Prodigy, which has one start
// that counts twice, needs 10 on the first task and misses the second target.
func TestComparisonByHand(t *testing.T) {
	args := []string{"-out", t.TempDir(), "-tasks", "selftune-illcond,selftune-batch16", "-starts", "best,low", "-optimizers", "prodigy-cosine,adam-apo"}
	storeComparison(t, optionsOf(t, runName, args...), 3, func(task string, e entry, _ start, _ int) int {
		switch {
		case e.apo:
			return 20
		case task == "selftune-illcond":
			return 10
		}
		return 0
	})
	r, err := optionsOf(t, reportName, args...).load()
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range clocks {
		c := r.compare(by)
		for _, s := range c.scores {
			want, reached := 0.5, 2 // Prodigy: ratio 1 on two workloads of four
			if s.apo {
				want, reached = (2*2./3+2*1)/4, 4 // ratio 2 on two, 1 on two
			}
			if math.Abs(s.area-want) > 1e-12 || s.reached != reached {
				t.Errorf("%s by %s: area %v, %d targets, want %v, %d", s.label(), by.name, s.area, s.reached, want, reached)
			}
		}
		for _, p := range c.pairs {
			if p.b.apo {
				continue
			}
			// Of six pairs three are worse by a factor of 2, three better by more than that.
			missed := 2 * 1800. // twice the steps of the second task
			if want := math.Sqrt(2 * 20 / missed); math.Abs(p.factor-want) > 1e-12 || p.of != 6 || p.n != 6 {
				t.Errorf("factor %v, want %v; %d of %d", p.factor, want, p.n, p.of)
			}
			if want := 2 * 13 / 64.; p.p != want && p.verdict != noDifference {
				t.Errorf("p = %v, verdict %s", p.p, p.verdict)
			}
		}
	}
}

// What is always twice as fast is better once there are enough pairs, its opposite worse.
func TestVerdicts(t *testing.T) {
	args := []string{"-out", t.TempDir(), "-tasks", "selftune-illcond,selftune-batch16", "-optimizers", "prodigy-cosine,adam-apo,dog"}
	storeComparison(t, optionsOf(t, runName, args...), 5, func(_ string, e entry, _ start, _ int) int {
		return map[string]int{"adam-apo": 20, "prodigy-cosine": 40, "dog": 10}[e.Name]
	})
	r, err := optionsOf(t, reportName, args...).load()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range r.pairsOf(clocks[0]) {
		want := map[string]verdict{"adam-apo": noDifference, "prodigy-cosine": better, "dog": worse}[p.b.Name]
		if p.verdict != want || !p.b.apo && p.p != 2./1024 {
			t.Errorf("%s against %s: %s, p = %v", p.a.label(), p.b.label(), p.verdict, p.p)
		}
		n++
	}
	if n != 2*5 { // both configurations against four and each other
		t.Errorf("%d pairs", n)
	}
}

// A task that a method has not been run on is left out, and said so; so are methods.
func TestIncompleteResults(t *testing.T) {
	args := []string{"-out", t.TempDir(), "-tasks", "selftune-illcond", "-optimizers", "prodigy-cosine,adam-apo"}
	storeComparison(t, optionsOf(t, runName, args...), 1, func(string, entry, start, int) int { return 10 })
	args[3] = "selftune-illcond,selftune-batch16"
	args[5] += ",soap-cosine"
	r, err := optionsOf(t, reportName, args...).load()
	if err != nil {
		t.Fatal(err)
	}
	left := strings.Join(r.left, "\n")
	if len(r.tasks) != 1 || len(r.entries) != 4 || !strings.Contains(left, "SOAP") || !strings.Contains(left, "no target") {
		t.Errorf("%d tasks, %d entries, left out: %s", len(r.tasks), len(r.entries), left)
	}
	if _, err := optionsOf(t, reportName, "-out", t.TempDir()).load(); err == nil {
		t.Error("no error without results")
	}
}

// TestPace has a seed that took three times as long as another, and a start that took twice
// as long: both have the pace of the fastest seed at the usual start, but a run that diverged
// keeps its own. The fastest seed of another CPU does not count.
func TestPace(t *testing.T) {
	o := optionsOf(t, reportName, "-out", t.TempDir(), "-starts", "low,best", "-optimizers", "adam-apo")
	e := entriesOf(o.competitors)[0]
	at := 20
	s := &taskResult{runs: make(map[runKey]*suite.Run), seeds: []uint64{1, 2, 3, 4, 5}}
	run := func(start start, seed uint64, seconds float64, diverged *int) *suite.Run {
		r := &suite.Run{Done: &suite.Done{Seconds: seconds, DivergedAt: diverged}}
		r.Evaluations = []suite.Evaluation{{Step: 10, Seconds: seconds / 4}, {Step: 40, Seconds: seconds}}
		s.runs[runKey{e.Name, e.variant(start), seed}] = r
		return r
	}
	best, low := o.starts[0], o.starts[1]
	if best.factor != 1 || low.factor == 1 {
		t.Fatalf("starts %+v", o.starts)
	}
	all := []*suite.Run{run(best, 1, 12, nil), run(best, 2, 4, nil), run(low, 1, 2, nil), run(low, 2, 8, nil)}
	elsewhere := []*suite.Run{run(best, 4, 3, nil), run(low, 4, 5, nil), run(best, 5, 2, &at), run(low, 5, 7, nil)}
	for i, cpu := range []string{"other", "other", "third", "third"} {
		elsewhere[i].Environment = &suite.Environment{CPU: cpu}
	}
	short := []*suite.Run{run(best, 3, 1, &at), run(low, 3, 3, &at)}
	s.pace(e, o.starts)
	for _, r := range all {
		if r.Done.Seconds != 4 || r.Evaluations[0].Seconds != 1 || r.Evaluations[1].Seconds != 4 {
			t.Errorf("%v s, at its evaluations %v and %v", r.Done.Seconds, r.Evaluations[0].Seconds, r.Evaluations[1].Seconds)
		}
	}
	for i, want := range []float64{3, 3, 2, 7} { // the only usual run of the third CPU diverged
		if r := elsewhere[i]; r.Done.Seconds != want || r.Evaluations[1].Seconds != want {
			t.Errorf("run %d on other CPUs takes %v, want %v", i, r.Done.Seconds, want)
		}
	}
	for i, want := range []float64{1, 3} {
		if r := short[i]; r.Done.Seconds != want || r.Evaluations[1].Seconds != want {
			t.Errorf("a run that diverged takes %v, want %v", r.Done.Seconds, want)
		}
	}
}
