package report

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A machine has one line, however often a report is made with sections of the report
// before.
func TestMachinesOfKeptSections(t *testing.T) {
	before, now := t.TempDir(), t.TempDir()
	fabricate(t, before, "fig3-parkinsons", "sgdm", "", 1, 0.02, false)
	fabricate(t, now, "fig3-protein", "sgdm", "", 1, 0.5, false)
	for dir, text := range map[string]string{
		before: `[{"cpu":"A","commit":"one","date":"2026-01-02T03:04:05Z"},{"cpu":"B","commit":"one","date":"2026-01-02T04:04:05Z"}]`,
		now:    `[{"cpu":"A","commit":"two","date":"2026-02-03T03:04:05Z"}]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "environment.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(before, "RESULTS.md")
	report(t, "-o", path, before)
	for range 3 {
		report(t, "-o", path, "-keep", path, now)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Machine: A, 0 cores, 0 GB of memory, ; , BLAS ; commits two (2026-02-03), one (2026-01-02).",
		"Machine: B, 0 cores, 0 GB of memory, ; , BLAS ; commits one (2026-01-02).",
	}
	if got := linesWith(string(text), "Machine: "); !slices.Equal(got, want) {
		t.Errorf("the report has the machines\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
