package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Times of runs that were parallel are in no table, no figure and decide no claim; losses do.
func TestParallelRunsHaveNoTimes(t *testing.T) {
	dir := t.TempDir()
	for _, m := range []string{"sgdm", "adam", "kfac", "precond"} {
		fabricate(t, dir, "fig4-autoencoder", m, "", 1, map[string]float64{"precond": 0.01}[m]+0.02, false)
	}
	out := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", out, dir)
	alone := read(t, dir, "results-pages", "fig4-autoencoder.md")
	paths, err := filepath.Glob(filepath.Join(dir, "fig4-autoencoder", "small", "*.jsonl"))
	if err != nil || len(paths) != 4 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		text := strings.Replace(read(t, path), `"jobs":1`, `"jobs":2`, 1)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	report(t, "-o", out, dir)
	beside := read(t, dir, "results-pages", "fig4-autoencoder.md")
	if !strings.Contains(beside, "times are left out") || strings.Contains(alone, "times are left out") {
		t.Errorf("the page does not say that times are left out\n%s", beside)
	}
	for _, timed := range []string{"loss-time.png", "seconds to Adam's 0.02"} {
		if strings.Contains(beside, timed) || !strings.Contains(alone, timed) {
			t.Errorf("%q is on the page of parallel runs, or not on the other", timed)
		}
	}
	if row := line(beside, "| Adam |", "0.02"); strings.Contains(row, "1e+03") || !strings.Contains(line(alone, "| Adam |", "0.02"), "1e+03") {
		t.Errorf("the row of parallel runs has times: %s", row)
	}
	for words, decided := range map[string]bool{"no later than Adam by wall-clock time [APO-Precond]": false, "at equal seconds": false, "at most 1.2 times KFAC's at equal steps": true} {
		if row := line(beside, words); row == "" || strings.Contains(row, string(notRun)) == decided {
			t.Errorf("parallel runs: %q", row)
		}
		if row := line(alone, words); row == "" || strings.Contains(row, string(notRun)) {
			t.Errorf("runs alone: %q", row)
		}
	}
}
