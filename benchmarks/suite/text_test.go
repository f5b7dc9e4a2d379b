package suite

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// A run on sentences of different lengths resumes bit for bit, in the middle of an epoch.
// Its evaluations have the loss a token of the validation part without smoothing, the last
// one the BLEU of the test; a run that is stopped while it translates is scored later.
func TestInterruptedRunOnTextGoesOn(t *testing.T) {
	for _, method := range []string{"adamw-isqrt", "adamw-apo", "precond"} {
		j := imageJob(t, "table2-iwslt14", method)
		j.Config.Steps, j.Config.Evaluations = 10, 5
		dir, whole := t.TempDir(), t.TempDir()
		finish(t, whole, j)
		for _, stopAt := range []int{4, 8} {
			ctx, cancel := context.WithCancel(context.Background())
			err := work(ctx, Order{Job: j, Path: j.Path(dir), Jobs: 1, Resume: stopAt > 4}, func(step int, _ float64) {
				if step >= stopAt {
					cancel()
				}
			})
			cancel()
			if err != context.Canceled {
				t.Fatalf("%s stopped at %d: %v", method, stopAt, err)
			}
		}
		if err := work(context.Background(), Order{Job: j, Path: j.Path(dir), Jobs: 1, Resume: true}, func(int, float64) {}); err != nil {
			t.Fatal(err)
		}
		a, b := losses(t, j.Path(dir)), losses(t, j.Path(whole))
		if !sameJSON(t, a, b) {
			t.Errorf("%s: the resumed run differs", method)
		}
		for i, e := range b {
			if e.TestLoss == nil || e.Accuracy == nil || (e.Score != nil) != (i == len(b)-1) {
				t.Errorf("%s: evaluation %+v", method, e)
			}
		}
		if first := b[0]; *first.TestLoss == first.TrainLoss {
			t.Errorf("%s: the test's loss is that of the training", method)
		}
	}
}

// A search on text has the accuracy on held-out pairs, and no translations.
func TestTuneOnText(t *testing.T) {
	dir, saved := t.TempDir(), t.TempDir()
	tune := func(ctx context.Context, args []string, out, err *strings.Builder) int {
		return TuneCommand(ctx, args, out, err)
	}
	code, text := call(tune, "table2-iwslt14", "-scale", "smoke", "-optimizers", "adamw-isqrt", "-configs", "2", "-out", dir, "-save", saved)
	if code != 0 || !strings.Contains(text, "validation accuracy") {
		t.Fatalf("exit code %d: %s", code, text)
	}
	won, err := readWinners(saved, "table2-iwslt14", string(experiments.Smoke))
	if err != nil || won["adamw-isqrt"].Values["beta2"] != 0.98 {
		t.Errorf("winners %+v: %v", won, err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
