package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// fabricateText writes a run with a BLEU at its end, none for 0.
func fabricateText(t *testing.T, dir, experiment, method, variant string, seed uint64, bleu float64) {
	t.Helper()
	e, err := experiments.Get(experiment)
	if err != nil {
		t.Fatal(err)
	}
	h := suite.Header{Label: method, Source: "tuned", Jobs: 1, Rows: 29000, PerEpoch: 259}
	h.Job = suite.Job{Experiment: experiment, Scale: experiments.Small, Method: method, Variant: variant, Seed: seed, Config: e.Scales[experiments.Small]}
	loss, accuracy := suite.Number(2), suite.Number(0.5)
	lines := []any{h}
	for step := range 4 {
		last := suite.Evaluation{Step: 100 * step, Seconds: float64(step), TrainLoss: 3, TestLoss: &loss, Accuracy: &accuracy, Rates: []suite.Number{0.1}}
		if score := suite.Number(bleu); step == 3 && bleu > 0 {
			last.Score = &score
		}
		lines = append(lines, last)
	}
	name := method + "-" + variant + string(rune('0'+seed)) + ".jsonl"
	writeRun(t, filepath.Join(dir, experiment, "small", name), append(lines, suite.Done{Done: true, Steps: 300, Seconds: 3, SecondsPerStep: 0.2, PeakBytes: 5e8}))
}

func TestReportOfTranslations(t *testing.T) {
	dir := t.TempDir()
	for seed := uint64(1); seed <= 3; seed++ {
		x := float64(seed) - 2
		fabricateText(t, dir, "table2-iwslt14", "sgdm", "", seed, 20+x)
		fabricateText(t, dir, "table2-iwslt14", "adamw", "", seed, 29+x)
		fabricateText(t, dir, "table2-iwslt14", "adamw-isqrt", "", seed, 31.5+x)
		fabricateText(t, dir, "table2-iwslt14", "adamw-apo", "", seed, 28.25+x)
		fabricateText(t, dir, "table2-iwslt14", "adamw-apo", "from-low", seed, 27.5+x)
		fabricateText(t, dir, "table2-iwslt14", "precond", "", seed, 31.25+x)
	}
	fabricateText(t, dir, "table2-iwslt14-ted", "adamw", "", 1, 9)
	fabricateText(t, dir, "table2-iwslt14-net", "sgdm", "", 1, 0)
	path := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", path, dir)
	md := written(t, path)
	for _, c := range []struct {
		what, line string
		want       []string
	}{
		{"table", line(md, "| AdamW, inverse square root | 3 |"), []string{"31.50 (30.50 … 32.50)", "| 34.60 |", "| 2 | 7.39 | 50.00% |"}},
		{"AdamW", line(md, "| [table2-iwslt14, small]", "at least 30"), []string{"**holds**", "31.50 [AdamW, inverse square root]"}},
		{"APO from the best rate", line(md, "within 1 of the best fixed rate's", "[AdamW-APO (plain)]"), []string{"**holds**", "28.25", "29.00"}},
		{"APO from a low rate", line(md, "within 1 of the best fixed rate's", "from low]"), []string{"**does not hold**", "27.50"}},
		{"APO-Precond", line(md, "table2-iwslt14, small", "competitive with AdamW's"), []string{"**holds**", "31.25"}},
		{"APO-Precond and SGDm", line(md, "table2-iwslt14, small", "at least SGDm's"), []string{"**holds**"}},
		{"the paper's numbers", line(read(t, path), "[Transformer, German to English]", "(34.60)"), []string{"APO-Precond 31.25 (34.62)", "SGDm 20.00 (31.43)"}},
		{"time", line(md, "| SGDm | 1 | 200 |"), []string{"| 2.78 | 31.43 |"}},
		{"setting", line(md, "Here: Transformer", ", 1200 steps"), []string{"batches of 2048 tokens"}},
	} {
		for _, w := range c.want {
			if !strings.Contains(c.line, w) {
				t.Errorf("%s: %q lacks %q", c.what, c.line, w)
			}
		}
	}
	if l := line(md, "table2-iwslt14-ted, small", "at least 30"); l != "" {
		t.Errorf("a goal for Multi30k decides about talks: %q", l)
	}
	if _, err := os.Stat(filepath.Join(dir, "results-figures", "table2-iwslt14-small-test-loss-steps.png")); err != nil {
		t.Error(err)
	}
}
