package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded has results that were recorded before experiments had tasks. The curves of
// fig1 have only every tenth point.
const recorded = "testdata/records"

// The report of recorded results does not change.
func TestReportOfRecordedResults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "RESULTS.md")
	if code, _, stderr := run("report", "-o", path, recorded); code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	text := pagesOf(t, path)
	for _, want := range []string{
		"| **holds** | far 0.71, near 1.05 |",
		"| **does not hold** | far 0.17, near 0.42 |",
		"(../results-figures/fig1-smoke-both.png)",
		"Here: widths 6-6-10, 200 steps of batches of 1000 (200 epochs of 1000 rows), float64.",
		"| Adam | 1 | 0.00184 | 0.0459 | 0.225 | 0.75 | - | 41 (+6) |",
		"| final training loss | best fixed | APO (plain), from low |",
		"| SGDm-APO (plain), from low | fsd 1.37, wsd 1.15e-06, meta_rate 0.282, k 10, initial rate 0.000559 | tuned fig4-mnist-lr/small, 10 configurations |",
		"Here: lenet on synthetic, 24 steps of batches of 32 (2 epochs of 400 rows), float32; the search's trials are 8 steps long",
		"| SGDm | 1 | 11.00% | 75.73% | 11.00% (epoch 1) | 2.33 | 2.32 |",
		"| method | rounds | ms a step: median (smallest … largest) |",
		"| SGDm | 1 | 0.272 | 1.00 | - | - | - | 231 (+7) |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// pagesOf is the text of a report's pages.
func pagesOf(t *testing.T, path string) string {
	t.Helper()
	folder := filepath.Join(filepath.Dir(path), strings.ToLower(strings.TrimSuffix(filepath.Base(path), ".md"))+"-pages")
	var all strings.Builder
	if err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(folder, name))
		all.Write(text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Recorded runs have the settings of new runs, so they are not repeated.
func TestRecordedRunsAreNotMadeAgain(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(recorded)); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := run("run", "fig1", "fig4-illcond-6", "table2-cifar10-lenet", "cost-mlp",
		"-scale", "smoke", "-optimizers", "sgdm", "-seeds", "1", "-out", dir)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{
		"fig1 smoke: stored already", "fig4-illcond-6 smoke: 1 runs, 1 of them stored already",
		"table2-cifar10-lenet smoke: 1 runs, 1 of them stored already", "cost-mlp smoke: 1 runs, 1 of them stored already",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in %q", want, stdout)
		}
	}
}

// A report of stored results is that of the results themselves: pages and figures have the
// same bytes. Both together are the same report again.
func TestReportOfStoredResults(t *testing.T) {
	dir := t.TempDir()
	stored := filepath.Join(dir, "stored")
	if code, _, stderr := run("store", "-out", stored, recorded); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var want map[string]string
	for name, from := range map[string][]string{"of-raw": {recorded}, "of-stored": {stored}, "of-both": {recorded, stored}} {
		to := filepath.Join(dir, name)
		if err := os.Mkdir(to, 0o777); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"report", "-o", filepath.Join(to, "R.md")}, from...)
		if code, _, stderr := run(args...); code != 0 || stderr != "" {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		got := make(map[string]string)
		if err := fs.WalkDir(os.DirFS(to), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(filepath.Join(to, name))
			got[name] = string(text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if len(got) < 10 || !maps.Equal(got, want) {
			for file := range want {
				if got[file] != want[file] {
					t.Errorf("%s: %s differs", name, file)
				}
			}
			t.Errorf("%s: %d files, want %d", name, len(got), len(want))
		}
	}
}
