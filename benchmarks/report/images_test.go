package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// fabricateImages writes a run with the given test accuracies, one an epoch.
func fabricateImages(t *testing.T, dir, experiment, method string, seed uint64, perStep float64, accuracies ...float64) {
	t.Helper()
	e, err := experiments.Get(experiment)
	if err != nil {
		t.Fatal(err)
	}
	h := suite.Header{Label: "label of " + method, Source: "tuned", Jobs: 1, Rows: 50000, PerEpoch: 390}
	h.Job = suite.Job{Experiment: experiment, Scale: experiments.Small, Method: method, Seed: seed, Config: e.Scales[experiments.Small]}
	lines := []any{h}
	for i, a := range accuracies {
		accuracy, loss := suite.Number(a), suite.Number(1-a)
		lines = append(lines, suite.Evaluation{Step: i * 390, Epoch: float64(i), Seconds: float64(i), TrainLoss: loss, TestLoss: &loss, Accuracy: &accuracy,
			Rates: []suite.Number{0.1}})
	}
	writeRun(t, filepath.Join(dir, experiment, "small", fmt.Sprintf("%s-seed%d.jsonl", method, seed)), append(lines, suite.Done{Done: true, Steps: 1950, Seconds: 60, FirstSeconds: 2, SecondsPerStep: perStep, PeakBytes: 5e8}))
}

func TestReportOfImages(t *testing.T) {
	dir := t.TempDir()
	for seed := uint64(1); seed <= 3; seed++ {
		x := 0.01 * float64(seed)
		fabricateImages(t, dir, "table2-cifar10-lenet", "sgdm", seed, 0.010, 0.1, 0.5, 0.6+x)
		fabricateImages(t, dir, "table2-cifar10-lenet", "adam", seed, 0.011, 0.1, 0.4, 0.5)
		fabricateImages(t, dir, "table2-cifar10-lenet", "kfac", seed, 0.020, 0.1, 0.4, 0.55)
		fabricateImages(t, dir, "table2-cifar10-lenet", "precond-plain", seed, 0.030, 0.1, 0.65, 0.61)
		fabricateImages(t, dir, "table2-cifar10-lenet", "precond-above", seed, 0.040, 0.1, 0.6, 0.62)
	}
	fabricateImages(t, dir, "table2-cifar10-resnet18", "sgdm", 1, 2, 0.1, 0.1)
	fabricateImages(t, dir, "table2-cifar10-resnet18", "sgdm-apo", 1, 3, 0.1, 0.1)
	fabricateImages(t, dir, "table2-cifar10-resnet18", "kfac", 1, 4, 0.1, 0.1)
	fabricateImages(t, dir, "table4-cifar10-lenet", "sgdm", 1, 0.010, 0.1, 0.5, 0.6)
	fabricateImages(t, dir, "table4-cifar10-lenet", "sgdm-decay", 1, 0.010, 0.1, 0.5, 0.65)
	fabricateImages(t, dir, "table4-cifar10-lenet", "sgdm-apo", 1, 0.012, 0.1, 0.5, 0.6)
	path := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", path, dir)
	md := written(t, path)
	for _, c := range []struct {
		what string
		line string
		want []string
	}{
		{"accuracy", line(md, "| SGDm | 3 |"), []string{"62.00% (61.00% … 63.00%)", "| 75.73% |", "62.00% (epoch 2, 2, 2)", "| 10 |"}},
		{"best epoch and cost", line(md, "| APO-Precond (plain) | 3 |"), []string{"| 61.00% |", "| 77.42% |", "65.00% (epoch 1, 1, 1)", "| 3.00 | 1.50 |"}},
		{"goal missed", line(md, "table2-cifar10-lenet", "goal: APO-Precond's test accuracy", "APO-Precond (plain)]"), []string{"**does not hold**"}},
		{"goal reached", line(md, "table2-cifar10-lenet", "goal: APO-Precond's test accuracy", "APO-Precond (relative)]"), []string{"**holds**", "62.00%"}},
		{"not above", line(md, "table2-cifar10-lenet", "above SGDm's, Adam's and KFAC's", "APO-Precond (relative)]"), []string{"**does not hold**"}},
		{"competitive", line(md, "table2-cifar10-lenet", "competitive with SGDm's and KFAC's", "APO-Precond (plain)]"), []string{"**holds**", "55.00%"}},
		{"as good as fixed", line(md, "table4-cifar10-lenet", "goal: Base-APO's test accuracy"), []string{"**holds**"}},
		{"not above fixed", line(md, "table4-cifar10-lenet", "higher test accuracy than the best fixed rate"), []string{"**does not hold**"}},
		{"manual schedule", line(md, "table4-cifar10-lenet", "competitive with the manual schedule"), []string{"**does not hold**"}},
		{"cost of LeNet", line(md, "table4-cifar10-lenet", "1.30 times"), []string{"**holds**", "1.20 times"}},
		{"cost of ResNet-18", line(md, "table2-cifar10-resnet18", "1.30 times"), []string{"**does not hold**", "1.50 times"}},
		{"the paper's numbers", line(read(t, path), "[LeNet on CIFAR-10]", "(75.73%)"), []string{"| 200 | 4 epochs |", "SGDm 62.00% (75.73%)", "APO-Precond (plain) 61.00% (77.42%)"}},
		{"Table 4's layout", line(md, "| test accuracy at the end | best fixed"), []string{"step decay", "APO (plain)"}},
		{"hours of the paper's run", line(md, "| KFAC | 1 | 4e+03"), []string{"| 2.00 | 1.00 |", "| 86.7 |", "94.60%"}},
	} {
		for _, w := range c.want {
			if !strings.Contains(c.line, w) {
				t.Errorf("%s: %q lacks %q", c.what, c.line, w)
			}
		}
	}
	if l := line(md, "table2-cifar10-resnet18, small", "test accuracy"); l != "" {
		t.Errorf("a measurement of time decides about accuracies: %q", l)
	}
	for _, name := range []string{"table2-cifar10-lenet-small-accuracy-steps", "table2-cifar10-lenet-small-loss-time", "table4-cifar10-lenet-small-sgdm-rate-steps"} {
		if _, err := os.Stat(filepath.Join(dir, "results-figures", name+".png")); err != nil {
			t.Error(err)
		}
	}
	if strings.Contains(md, "resnet18-small-loss") {
		t.Error("a measurement of time is drawn")
	}
}
