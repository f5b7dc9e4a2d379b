package selftune

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// perStep is a run's time of a step in the files of store.
const perStep = 0.5

// store writes the file of a finished run whose training loss is losses[i] after step
// 10·i, and that diverges at the end if diverged is set.
func store(t *testing.T, dir string, j suite.Job, diverged bool, losses ...float64) {
	t.Helper()
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	lines := []any{suite.Header{Job: j, Label: j.Method}}
	for i, l := range losses {
		lines = append(lines, suite.Evaluation{Step: 10 * i, Seconds: perStep * 10 * float64(i), TrainLoss: suite.Number(l)})
	}
	d := suite.Done{Done: true, Steps: j.Config.Steps, Seconds: perStep * float64(j.Config.Steps)}
	if diverged {
		d.DivergedAt = &d.Steps
	}
	for _, l := range append(lines, d) {
		if err := enc.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	path := j.Path(dir)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// optionsOf are checked options of a command.
func optionsOf(t *testing.T, name string, args ...string) *options {
	t.Helper()
	var o options
	f := o.flags(name)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	if err := o.check(name); err != nil {
		t.Fatal(err)
	}
	return &o
}

func taskNamed(t *testing.T, name string) experiments.SelfTuningTask {
	t.Helper()
	for _, s := range experiments.SelfTuning() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no task %s", name)
	return experiments.SelfTuningTask{}
}
