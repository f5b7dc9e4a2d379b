package exampletest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
)

// testFurtherLogs stops a run with event files and a store of MLflow, which goes on with
// them, and has another run in the same folder.
func (s *Suite) testFurtherLogs(t *testing.T, data string) {
	plain, out := t.TempDir(), t.TempDir()
	s.MustRun(t, data, With(s.Small, "-out", plain)...)
	s.interrupt(t, data, "epoch 2: 4 of 6", With(s.Small, "-log", "tensorboard,mlflow", "-out", out)...)
	events := eventFiles(t, out)
	if len(events) != 1 || !holds(events[0], "brain.Event:2", "loss", "rate", "test_accuracy") || holds(events[0], "curves/loss") {
		t.Errorf("%d event files of the stopped run", len(events))
	}
	if meta := s.mlflowRun(t, out, "meta.yaml"); !strings.Contains(meta, "status: 5\n") { // killed
		t.Errorf("the stopped run's meta.yaml:\n%s", meta)
	}
	s.MustRun(t, data, "-resume", "-out", out)
	EqualRuns(t, plain, out)
	events = eventFiles(t, out)
	if len(events) != 2 || !holds(events[1], "brain.Event:2", "loss", "curves/loss", "\x89PNG") {
		t.Errorf("%d event files of the whole run", len(events))
	}
	if meta := s.mlflowRun(t, out, "meta.yaml"); !strings.Contains(meta, "status: 3\n") { // finished
		t.Errorf("the run's meta.yaml:\n%s", meta)
	}
	if n := strings.Count(s.mlflowRun(t, out, "metrics/loss"), "\n"); n != 18 {
		t.Errorf("MLflow has %d losses", n)
	}
	if n := strings.Count(s.mlflowRun(t, out, "metrics/test_accuracy"), "\n"); n != 3 {
		t.Errorf("MLflow has %d accuracies", n)
	}
	if epochs := s.mlflowRun(t, out, "params/epochs"); epochs != "3" {
		t.Errorf("MLflow has epochs %q", epochs)
	}
	CheckPicture(t, s.mlflowPath(t, out, "artifacts/curves/loss.png"))
	s.MustRun(t, data, With(s.Small, "-out", out)...)
	if events = eventFiles(t, out); len(events) != 0 {
		t.Errorf("a new run has %d event files of the earlier one", len(events))
	}
}

// mlflowPath is a file of the run in the store of MLflow.
func (s *Suite) mlflowPath(t *testing.T, out, name string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(out, "mlruns", "*", "*", filepath.FromSlash(name)))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%s of the run in MLflow's store: %q, %v", name, paths, err)
	}
	return paths[0]
}

func (s *Suite) mlflowRun(t *testing.T, out, name string) string {
	t.Helper()
	content, err := os.ReadFile(s.mlflowPath(t, out, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// eventFiles has the contents of the event files in a folder.
func eventFiles(t *testing.T, folder string) (all []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "events.out.tfevents.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(content))
	}
	return all
}

// holds tells whether a text has all the words.
func holds(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// testLive has the view write to what is no terminal: lines.
func (s *Suite) testLive(t *testing.T, data string) {
	code, _, stderr := s.Start(t, data, With(s.Small, "-live", "-out", t.TempDir())...)
	if code != cli.OK || !holds(stderr, ": step 1 of 18, 5%, loss ", ": step 18 of 18, 100%, loss ", " images/s, ", " s left") || strings.Contains(stderr, "\x1b") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
