package exampletest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// testRuns checks what runs write.
func (s *Suite) testRuns(t *testing.T, data string) {
	for name, run := range s.Runs {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "new", "folder")
			code, stdout, stderr := s.Start(t, data, With(s.Small, With(run.Args, "-out", out)...)...)
			if code != cli.OK {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
			if !strings.HasPrefix(stdout, "BLAS: ") || strings.Count(stdout, "test loss") != 3 || !strings.Contains(stdout, "results in "+out) {
				t.Errorf("output:\n%s", stdout)
			}
			if strings.Contains(stdout, "best test accuracy") != s.App.KeepsBest {
				t.Errorf("output:\n%s", stdout)
			}
			if rows := Table(t, filepath.Join(out, runlog.EpochsCSV)); len(rows) != 1+3 {
				t.Errorf("epochs.csv: %v", rows)
			}
			if log, err := runlog.ReadSteps(out); err != nil || len(log) != 3*run.Steps || len(log[0].Rates) != run.Rates {
				t.Errorf("steps.jsonl has %d lines (%v)", len(log), err)
			}
			if rows := Table(t, filepath.Join(out, runlog.StepsCSV)); len(rows) != 1+3*run.Steps {
				t.Errorf("steps.csv has %d rows", len(rows))
			}
			s.checkWeights(t, out)
			for _, picture := range []string{"loss.png", run.Picture} {
				CheckPicture(t, filepath.Join(out, picture))
			}
		})
	}
}

// checkWeights reads the weights of the last epoch and of the best.
func (s *Suite) checkWeights(t *testing.T, out string) {
	t.Helper()
	last, err := checkpoint.ReadSafetensors(filepath.Join(out, "weights.safetensors"))
	if err != nil || len(last) < 2 {
		t.Errorf("%d weights, %v", len(last), err)
	}
	if !s.App.KeepsBest {
		return
	}
	if best, err := checkpoint.ReadSafetensors(filepath.Join(out, "best.safetensors")); err != nil || len(best) != len(last) {
		t.Errorf("%d weights of the best epoch, %d of the last, %v", len(best), len(last), err)
	}
	CheckPicture(t, filepath.Join(out, "accuracy.png"))
}

// testDefaultRates has every optimizer start at the library's rate, and -h say so.
// 0 leaves the choice to the optimizer, which starts too large on purpose.
func (s *Suite) testDefaultRates(t *testing.T, _ string) {
	var help bytes.Buffer
	if _, _, err := s.App.Parse([]string{"-h"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
	for _, name := range trainers.OptimizerNames() {
		p, _, err := s.App.Parse([]string{"-" + s.App.OptimizerFlag, name}, &bytes.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := s.App.Optimizer(p)
		if err != nil {
			t.Fatal(err)
		}
		want, err := trainers.DefaultRate(name)
		if err != nil || o.LearningRate() != want {
			t.Errorf("%s starts at %v, want %v (%v)", name, o.LearningRate(), want, err)
		}
		text := fmt.Sprintf("%s %v", name, want)
		if want == 0 {
			text = name + " 1/λ_WSD"
		}
		if !strings.Contains(help.String(), text) {
			t.Errorf("-h does not say %q", text)
		}
	}
}

func (s *Suite) testHelp(t *testing.T, data string) {
	code, stdout, _ := s.Start(t, data, "-h")
	if code != cli.OK || !strings.HasPrefix(stdout, s.App.About) || !strings.Contains(stdout, s.Help) || !strings.Contains(stdout, "-precision format") {
		t.Errorf("exit code %d, -h printed\n%s", code, stdout)
	}
}
