package report

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// read reads a file of a report.
func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A second report has results of other experiments; the pages of the first stay as they
// are, and the first page has the claims of both.
func TestPagesWithoutResultsStay(t *testing.T) {
	before, now := t.TempDir(), t.TempDir()
	for _, m := range []string{"sgdm", "adam"} {
		fabricate(t, before, "fig3-parkinsons", m, "", 1, 0.02, false)
		fabricate(t, before, "fig3-protein", m, "", 1, 0.03, false)
		fabricate(t, now, "fig3-protein", m, "", 1, 0.5, false)
	}
	path := filepath.Join(before, "RESULTS.md")
	report(t, "-o", path, before)
	parkinsons, claims := read(t, before, "results-pages", "fig3-parkinsons.md"), read(t, before, "results-pages", claimsPage)
	if !strings.Contains(parkinsons, "| Adam | 1 | 0.02 |") || !strings.Contains(parkinsons, "### "+goalsTitle) {
		t.Fatalf("the page is\n%s", parkinsons)
	}
	report(t, "-o", path, now)
	if got := read(t, before, "results-pages", "fig3-parkinsons.md"); got != parkinsons {
		t.Errorf("the page was\n%s\nand is\n%s", parkinsons, got)
	}
	if got := read(t, before, "results-pages", "fig3-protein.md"); !strings.Contains(got, "| Adam | 1 | 0.5 |") || strings.Contains(got, "0.03") {
		t.Errorf("the new page is\n%s", got)
	}
	again := read(t, before, "results-pages", claimsPage)
	for _, words := range [][]string{{"| [fig3-parkinsons, small](fig3-parkinsons.md) |", "lower training loss than all baselines"}, {"[fig3-parkinsons, small]", "Adam's final loss no later"}} {
		if was := line(claims, words...); was == "" || line(again, words...) != was {
			t.Errorf("%q was %q and is %q", words, was, line(again, words...))
		}
	}
	if strings.Contains(again, "| fig3-parkinsons |") {
		t.Error("claims about parkinsons count as not run")
	}
	// Without any results the pages alone make the same first page.
	first := read(t, path)
	report(t, "-o", path, t.TempDir())
	if got := read(t, path); got != first {
		t.Errorf("the first page was\n%s\nand is\n%s", first, got)
	}
}

// The parts of an experiment's scales share a page, the largest scale first.
func TestScalesShareAPage(t *testing.T) {
	dir := t.TempDir()
	fabricate(t, dir, "fig3-parkinsons", "sgdm", "", 1, 0.02, false)
	path := filepath.Join(dir, "RESULTS.md")
	report(t, "-o", path, dir)
	page := filepath.Join(dir, "results-pages", "fig3-parkinsons.md")
	text := read(t, page) + "\n## fig3-parkinsons, paper\n\nby hand\n\n## fig3-parkinsons, smoke\n\nby hand\n"
	if err := os.WriteFile(page, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	report(t, "-o", path, dir)
	got := read(t, page)
	at := func(s string) int { return strings.Index(got, s) }
	if at(", paper\n\nby hand") < 0 || at(", small\n") < at(", paper\n") || at(", smoke\n\nby hand") < at(", small\n") || strings.Count(got, ", small\n") != 1 {
		t.Errorf("the page is\n%s", got)
	}
	if err := os.WriteFile(page, []byte("# x\n\n## fig3-parkinsons, huge\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	if code := Command(context.Background(), []string{"-o", path, dir}, &out, &errs); code != 1 || !strings.Contains(errs.String(), "huge") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// earlierReport is a report in a single file.
const earlierReport = `# Results

Machine: A, 2 cores; go1; commits one (2026-01-02), two (2026-01-03).

## What the paper claims

| experiment | claim | here | figures |
| --- | --- | --- | --- |
| fig3-protein, small | §6.1: lower [APO-Precond] | **holds** | 0.1, KFAC 0.2 |
| fig3-slice | §6.1: lower | not run | no results of this experiment |

## What this project wants to reach

| experiment | claim | here | figures |
| --- | --- | --- | --- |
| fig3-protein, small | goal: fast [APO-Precond] | **does not hold** | 2 s |

## What was tried

### Nothing

## fig3-protein, small

Here: widths 9-1, 30 steps of batches of 10 (2 epochs of 150 rows), float32.

![a; b](results-figures/fig3-protein-small-loss-steps.png)

| method | seeds | final training loss: median (smallest … largest) | ms a step | to SGDm's |
| --- | --- | --- | --- | --- |
| KFAC | 3 | 0.2 (0.19 … 0.21) | 2 | 1.5 |
| APO-Precond | 3 | 0.1 (0.09 … 0.11) | 3 | 2 |


Not run: shampoo.
`

// The sections of a report in a single file become pages, with their claims; nothing else
// of them changes.
func TestSplit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "RESULTS.md")
	if err := os.WriteFile(path, []byte(earlierReport), 0o666); err != nil {
		t.Fatal(err)
	}
	report(t, "-o", path, "-keep", path, t.TempDir())
	page := read(t, dir, "results-pages", "fig3-protein.md")
	_, section, _ := strings.Cut(earlierReport, "## fig3-protein, small\n\n")
	section = strings.Replace(strings.TrimSpace(section), "](results-figures/", "](../results-figures/", 1)
	for _, want := range []string{section, "Machine: A, 2 cores; go1; commits one (2026-01-02), two (2026-01-03).",
		"| §6.1: lower [APO-Precond] | **holds** | 0.1, KFAC 0.2 |", "| goal: fast [APO-Precond] | **does not hold** | 2 s |"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	first := read(t, path)
	for _, want := range []string{
		"Machine: A, 2 cores; go1; 2 versions of this module, of 2026-01-02 to 2026-01-03", "In 1 of 1 experiments with several seeds its best form ends better than the best other method, in 0 there is no clear difference, in 0 it ends worse.",
		"| [Figure 3: UCI protein](results-pages/fig3-protein.md) | 2 epochs | 3 | training loss | KFAC 0.2 | APO-Precond 0.1 | - | **better** | 1 : 1.5 : 2 |",
		"| §6.1: lower | [fig3-protein](results-pages/fig3-protein.md) | **holds** | - |",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not in\n%s", want, first)
		}
	}
	var out, errs strings.Builder
	if code := Command(context.Background(), []string{"-o", path, "-keep", path, t.TempDir()}, &out, &errs); code != 1 || !strings.Contains(errs.String(), "no report in a single file") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
