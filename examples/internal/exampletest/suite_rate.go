package exampletest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/examples/internal/cli"
	"github.com/apo-gorgonia/apo/trainers"
)

// testFindRate has the program measure a learning rate, in a new folder and in that of a run,
// whose files stay as they are.
func (s *Suite) testFindRate(t *testing.T, data string) {
	out := filepath.Join(t.TempDir(), "run")
	find := With(s.Small, "-out", out, "-find-rate")
	code, stdout, stderr := s.Start(t, data, find...)
	if code != cli.OK || !strings.Contains(stdout, "learning rate ") || strings.Contains(stdout, "epoch") {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	CheckPicture(t, filepath.Join(out, "find-rate.png"))
	var found trainers.RateSearch
	if err := json.Unmarshal([]byte(contents(t, out)["find-rate.json"]), &found); err != nil || !(found.Rate > 0) || len(found.Rounds) == 0 || len(found.Curve) < 5 {
		t.Errorf("find-rate.json: %+v, %v", found, err)
	}
	if all := names(t, out); len(all) > 3 { // and the lock
		t.Errorf("it leaves %v", all)
	}

	s.MustRun(t, data, With(s.Small, "-out", out)...)
	before := contents(t, out)
	s.MustRun(t, data, "-out", out, "-resume", "-find-rate")
	for name, text := range contents(t, out) {
		if !strings.HasPrefix(name, "find-rate.") && text != before[name] {
			t.Errorf("%s has changed", name)
		}
	}
	flag := "-" + s.App.OptimizerFlag
	code, _, stderr = s.Start(t, data, With(find, flag, "precond-plain")...)
	if code == cli.OK || !strings.Contains(stderr, "precond-plain has no learning rate") {
		t.Errorf("an optimizer without rate: exit code %d\n%s", code, stderr)
	}
}

// testDryRun has the program say what a run will take: it writes nothing.
func (s *Suite) testDryRun(t *testing.T, data string) {
	out := filepath.Join(t.TempDir(), "run")
	code, stdout, stderr := s.Start(t, data, With(s.Small, "-out", out, "-dry-run")...)
	if code != cli.OK || stderr != "" {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	for _, what := range []string{" parameters in ", "a step: ", " ms", " epochs: about "} {
		if !strings.Contains(stdout, what) {
			t.Errorf("%q is missing:\n%s", what, stdout)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("it has made the folder of the results")
	}
}

// contents are the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range names(t, dir) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(text)
	}
	return all
}
