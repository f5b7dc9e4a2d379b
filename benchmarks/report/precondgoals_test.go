package report

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// fabricateTimes writes a run whose loss falls from 1 to final in steps of so many
// seconds and that takes so much memory.
func fabricateTimes(t *testing.T, dir, experiment, method string, final, perStep, peak float64) {
	t.Helper()
	e, err := experiments.Get(experiment)
	if err != nil {
		t.Fatal(err)
	}
	c := e.Scales[experiments.Small]
	c.Steps = 100
	h := suite.Header{Source: "default", Jobs: 1, Rows: 1000, PerEpoch: 10}
	h.Job = suite.Job{Experiment: experiment, Scale: experiments.Small, Method: method, Seed: 1, Config: c}
	lines := []any{h}
	for step := 0; step <= 100; step += 20 {
		accuracy := suite.Number(1 - final)
		lines = append(lines, suite.Evaluation{Step: step, Seconds: float64(step) * perStep, TrainLoss: suite.Number(math.Pow(final, float64(step)/100)), Accuracy: &accuracy})
	}
	writeRun(t, filepath.Join(dir, experiment, "small", method+"-seed1.jsonl"), append(lines, suite.Done{Done: true, Steps: 100, Seconds: 100 * perStep, SecondsPerStep: perStep, PeakBytes: int64(peak)}))
}

// TestGoalsOfTheRecommendedForm has one result on each side of each limit.
func TestGoalsOfTheRecommendedForm(t *testing.T) {
	dir := t.TempDir()
	for experiment, precond := range map[string][2]float64{ // the loss and the seconds of a step
		"cost-mlp": {0.5, 1.39}, "cost-autoencoder": {0.5, 1.51}, "cost-lenet": {0.5, 2.5}, "cost-resnet18": {0.5, 1.4},
		"mnist-mlp": {0.011, 1.3}, "fig3-protein": {0.0121, 1.3}, "fig4-autoencoder": {0.02, 1}, "fig4-illcond-6": {0.02, 1},
		"fig4-illcond-32": {0.02, 1}, "table2-cifar10-lenet": {0.02, 1}, "table2-cifar10-resnet8": {0.05, 1}, "resnet18-start": {0.009, 1},
	} {
		fabricateTimes(t, dir, experiment, "sgdm", 0.5, 1, 1e8)
		fabricateTimes(t, dir, experiment, "adam", 0.1, 1.1, 1e8)
		fabricateTimes(t, dir, experiment, "kfac", 0.01, 2, 3e8)
		fabricateTimes(t, dir, experiment, "precond", precond[0], precond[1], 1.31e8)
	}
	fabricateTimes(t, dir, "fig4-illcond-6", "precond-above", 0.01, 9, 1e8)
	fabricateTimes(t, dir, "fig3-protein", "precond-default", 0.0133, 1, 1e8)
	fabricateTimes(t, dir, "mnist-mlp", "precond-default", 0.0122, 1, 1e8)
	path := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", path, dir)
	md := written(t, path)
	const yes, no = "**holds**", "**does not hold**"
	for _, c := range []struct {
		experiment, words, verdict, detail string
	}{
		{"cost-mlp", "at most 1.4 times SGDm's", yes, "1.39 times the time of a step of SGDm: 1.39 against 1"},
		{"cost-autoencoder", "at most 1.5 times SGDm's", no, "1.51"},
		{"cost-lenet", "at most 1.6 times SGDm's", no, "2.50"},
		{"cost-resnet18", "at most 1.4 times SGDm's", yes, "1.40"},
		{"cost-mlp", "less time than KFAC's", yes, "0.69"},
		{"cost-lenet", "less time than KFAC's", no, "1.25"},
		{"cost-resnet18", "peak memory", no, "1.31"},
		{"mnist-mlp", "at most 1.2 times KFAC's", yes, "1.10"},
		{"fig3-protein", "at most 1.2 times KFAC's", no, "1.21"},
		{"mnist-mlp", "at equal seconds", yes, "after 130 s 0.011, KFAC 0.0501"},
		{"table2-cifar10-lenet", "at equal seconds", yes, "after 100 s 0.02, KFAC 0.1"},
		{"fig4-illcond-6", "one form", yes, "APO-Precond (relative): "},
		{"fig4-illcond-32", "one form", no, "APO-Precond: "},
		{"mnist-mlp", "reaches Adam's final loss", yes, "66.4 s against Adam's 110 s"},
		{"table2-cifar10-lenet", "accuracy is at least KFAC's", no, "98.00%, KFAC 99.00%"},
		{"table2-cifar10-resnet8", "accuracy is at least SGDm's", yes, "95.00%, SGDm 50.00%"},
		{"table2-cifar10-resnet8", "accuracy is at least Adam's", yes, "95.00%, Adam 90.00%"},
		{"table2-cifar10-resnet8", "accuracy is at least KFAC's", no, "95.00%, KFAC 99.00%"},
		{"fig3-protein", "with its defaults", yes, "1.10 times the final training loss of APO-Precond"},
		{"mnist-mlp", "with its defaults", no, "1.11"},
		{"resnet18-start", "after 50 steps", yes, "0.009"},
	} {
		l := line(md, "| ["+c.experiment+", small]", c.words)
		if !strings.Contains(l, c.verdict) || !strings.Contains(l, c.detail) {
			t.Errorf("%s, %s: %q, want %s and %q", c.experiment, c.words, l, c.verdict, c.detail)
		}
	}
	_, section, _ := strings.Cut(md, "## mnist-mlp, small")
	l := line(section, "| APO-Precond | 130 |")
	for _, want := range []string{"| 0.0311 |", "| 0.011 (at its end) |", "| 20 | 66.4 | not reached |"} {
		if !strings.Contains(l, want) {
			t.Errorf("losses at equal seconds: %q lacks %q", l, want)
		}
	}
}
