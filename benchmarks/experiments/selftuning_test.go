package experiments

import (
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/trainers/batch"
)

// The tasks of selftune can be found by name and are not among those of run. Smoke runs of
// those that need no files have a model that fits their data.
func TestSelfTuningTasks(t *testing.T) {
	held, tuning := 0, 0
	for _, s := range SelfTuning() {
		if e, err := Get(s.Name); err != nil || e != s.Experiment {
			t.Errorf("%s: %v", s.Name, err)
		}
		if slices.Contains(All(), s.Experiment) {
			t.Errorf("%s is among the experiments of run", s.Name)
		}
		if s.Tuning {
			tuning++
		} else {
			held++
		}
		c := s.Scales[Smoke]
		if c.Steps < 10 || c.Steps > 100 || s.Scales[Small].Steps < 100 {
			t.Errorf("%s has %d and %d steps", s.Name, c.Steps, s.Scales[Small].Steps)
		}
		if !s.Tuning && !strings.Contains(s.Name, "illcond") && c.Set == "" {
			continue // needs files
		}
		p, err := s.Problem(t.Context(), c)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if _, err := p.Batches(c.Batch, 1); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if s.Measure == TestAccuracy && p.Test == nil {
			t.Errorf("%s has no test set", s.Name)
		}
	}
	if held != 9 || tuning != 4 {
		t.Errorf("%d tasks held out, %d for tuning", held, tuning)
	}
}

// The halves of an image are its first and its last pixels.
func TestDigitHalves(t *testing.T) {
	train, _, err := digitHalves(t.Context(), Config{Dtype: "float64"})
	if err != nil {
		t.Fatal(err)
	}
	whole, _, err := digits(nil)(t.Context(), Config{Dtype: "float64"})
	if err != nil {
		t.Fatal(err)
	}
	b, all := train.NewBatch(1), whole.NewBatch(1)
	train.Fill(b, []int{7}, batch.Draw{})
	whole.Fill(all, []int{7}, batch.Draw{})
	joined := slices.Concat(b.X[0].Float64s(), b.T[0].Float64s())
	if !slices.Equal(joined, all.X[0].Float64s()) {
		t.Errorf("%v, want %v", joined, all.X[0].Float64s())
	}
}
