package report

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The first page has the summary of a report of selftune and its pictures, by paths from
// the first page.
func TestSelfTuningOnTheFirstPage(t *testing.T) {
	dir := t.TempDir()
	fabricate(t, dir, "fig3-protein", "sgdm", "", 1, 0.03, false)
	untuned := filepath.Join(dir, "untuned", "selftune.md")
	if err := os.MkdirAll(filepath.Dir(untuned), 0o777); err != nil {
		t.Fatal(err)
	}
	text := "# Training without tuning\n\nBy steps: one.\nBy seconds: two.\n\nThe rules.\n\n![profile steps](profile-steps.svg)\n"
	if err := os.WriteFile(untuned, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", path, "-selftune", untuned, dir)
	got := read(t, path)
	for _, want := range []string{
		"## Training without tuning\n\nBy steps: one. By seconds: two. [Areas, pairs and configurations](untuned/selftune.md).",
		`<img src="untuned/profile-steps.svg"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not on the first page\n%s", want, got)
		}
	}
	if strings.Contains(got, "The rules.") {
		t.Error("the first page has more than the summary")
	}
	report(t, "-o", path, dir)
	if strings.Contains(read(t, path), "Training without tuning") {
		t.Error("the summary is there without -selftune")
	}
}

// Another file in the place of selftune's report is an error that names it, and writes
// nothing.
func TestWrongSelfTuning(t *testing.T) {
	dir := t.TempDir()
	fabricate(t, dir, "fig3-protein", "sgdm", "", 1, 0.03, false)
	other := filepath.Join(dir, "other.md")
	if err := os.WriteFile(other, []byte("# Results\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{other, filepath.Join(dir, "nothing.md")} {
		out := filepath.Join(dir, "RESULTS.md")
		var stdout, stderr strings.Builder
		code := Command(context.Background(), []string{"-o", out, "-selftune", path, dir}, &stdout, &stderr)
		if _, err := os.Stat(out); code != 1 || !strings.Contains(stderr.String(), path) || err == nil {
			t.Errorf("%s: exit code %d, %q, the first page: %v", path, code, stderr.String(), err)
		}
	}
}
