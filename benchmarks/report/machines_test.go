package report

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// A page names where its runs were made, a machine once, and the first page has each
// machine once, whatever pages it is on.
func TestMachines(t *testing.T) {
	before, now := t.TempDir(), t.TempDir()
	fabricate(t, before, "fig3-parkinsons", "sgdm", "", 1, 0.02, false)
	fabricate(t, now, "fig3-protein", "sgdm", "", 1, 0.5, false)
	for dir, text := range map[string]string{
		before: `[{"cpu":"A","commit":"abc","date":"2026-01-02T03:04:05Z"},{"cpu":"B","commit":"other","date":"2026-01-02T04:04:05Z"}]`,
		now:    `[{"cpu":"A","commit":"abc","date":"2026-02-03T03:04:05Z"}]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "environment.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(before, "RESULTS.md")
	report(t, "-o", path, before)
	for range 3 {
		report(t, "-o", path, now)
	}
	const machine = "Machine: A, 0 cores, 0 GB of memory, ; , BLAS ; "
	for name, day := range map[string]string{"fig3-parkinsons": "2026-01-02", "fig3-protein": "2026-02-03"} {
		want := []string{machine + "commits abc (" + day + ")."}
		if got := linesWith(read(t, before, "results-pages", name+".md"), "Machine: "); !slices.Equal(got, want) {
			t.Errorf("%s has the machines %q, want %q", name, got, want)
		}
	}
	first := read(t, path)
	if want := machine + "2 versions of this module, of 2026-01-02 to 2026-02-03"; strings.Count(first, "Machine: ") != 1 || !strings.Contains(first, want) {
		t.Errorf("%q is not in\n%s", want, first)
	}
}

func TestMachinesAreListedOnce(t *testing.T) {
	var all machines
	e := suite.Environment{CPU: "A", Commit: "abc", Date: "2026-01-02T03:04:05Z"}
	all.addEnvironment(e)
	all.addEnvironment(e)
	e.Commit = "def"
	all.addEnvironment(e)
	if len(all) != 1 || len(all[0].commits) != 2 {
		t.Errorf("%v", all)
	}
}

// The first page has a processor once, with what all of its entries share.
func TestMachinesAreMerged(t *testing.T) {
	var all machines
	all.addLine("Machine: A, 2 cores, 24 GB of memory, linux; go1, BLAS x; commits a (2026-01-02), b (2026-01-03).")
	all.addLine("Machine: B, 4 cores, 8 GB of memory, linux; go1, BLAS x; commits a (2026-01-02).")
	all.addLine("Machine: A, 1 core, 24 GB of memory, linux; go1, BLAS y (AVX, both); commits b (2026-01-03), c (2026-02-01).")
	all.addLine("Machine: C, 1 core; go1, BLAS x; commits b (2026-01-03), d (2026-01-03).")
	var got []string
	for _, m := range all.merged() {
		got = append(got, m.short())
	}
	want := []string{
		"Machine: A, 1 core or 2 cores, 24 GB of memory, linux; go1; 3 versions of this module, of 2026-01-02 to 2026-02-01, which the pages name.",
		"Machine: B, 4 cores, 8 GB of memory, linux; go1, BLAS x; commit a (2026-01-02).",
		"Machine: C, 1 core; go1, BLAS x; 2 versions of this module, of 2026-01-03, which the pages name.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
