package report

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// pageOfCurves is the page that the command writes for a folder, and its data.
func pageOfCurves(t *testing.T, dir string) (page string, data []htmlExperiment) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "curves.html")
	report(t, "-html", path, dir)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(text)
	if m == nil {
		t.Fatal("the page has no data")
	}
	if err := json.Unmarshal(m[1], &data); err != nil {
		t.Fatal(err)
	}
	return string(text), data
}

// TestHTML: the page has every run's values and asks for nothing from elsewhere.
func TestHTML(t *testing.T) {
	dir := t.TempDir()
	for seed := range uint64(2) {
		fabricate(t, dir, "fig3-parkinsons", "sgdm", "", seed+1, 0.25, false)
		fabricate(t, dir, "fig3-parkinsons", "adam", "", seed+1, 0.5, false)
	}
	fabricate(t, dir, "fig4-mnist-lr", "sgdm", "", 1, 0.01, false)
	page, data := pageOfCurves(t, dir)
	for _, elsewhere := range []string{"src=", "href=", "import ", "fetch(", "@import", "url("} {
		if strings.Contains(page, elsewhere) {
			t.Errorf("the page has %q", elsewhere)
		}
	}
	if len(data) != 2 || data[0].Name != "fig3-parkinsons" || len(data[0].Series) != 2 || len(data[0].Series[1].Runs) != 2 {
		t.Fatalf("%+v", data)
	}
	run := data[0].Series[0].Runs[1]
	if run.Seed != 2 || len(run.Step) != 5 || run.Step[4] != 100 || run.Seconds[4] != 100 || *run.TrainLoss[4] != 0.25 || *run.Rate[0] != 0.1 {
		t.Errorf("%+v", run)
	}
	if run.Accuracy != nil {
		t.Error("accuracies of a task without classes")
	}
	first, _ := chart.Look(0)
	if data[0].Series[0].Color != htmlColor(first) || data[0].Series[0].Color == data[0].Series[1].Color {
		t.Errorf("colours %s and %s", data[0].Series[0].Color, data[0].Series[1].Color)
	}
}

// TestHTMLValues: values that are not finite are null, and text cannot end the script.
func TestHTMLValues(t *testing.T) {
	run := &suite.Run{Evaluations: []suite.Evaluation{{Step: 0, TrainLoss: 2}, {Step: 1, TrainLoss: suite.Number(math.Inf(1))}}}
	h := htmlRunOf(run)
	if h.TrainLoss[1] != nil || *h.TrainLoss[0] != 2 || h.Rate != nil {
		t.Errorf("%+v", h)
	}
	dir := t.TempDir()
	fabricate(t, dir, "fig3-parkinsons", "sgdm", "", 1, 0.25, false)
	sections, err := load([]string{dir}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	sections[0].series[0].label = "</script><b>"
	page, err := htmlPage(sections)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "</script><b>") {
		t.Error("a label ends the script")
	}
}

func TestHTMLRefused(t *testing.T) {
	dir := t.TempDir()
	fabricate(t, dir, "fig3-parkinsons", "sgdm", "", 1, 0.25, false)
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "no", "such", "folder.html"), "folder.html"},
		{dir, filepath.Base(dir)},
	} {
		var out, errs strings.Builder
		if code := Command(context.Background(), []string{"-o", filepath.Join(t.TempDir(), "r.md"), "-html", c.path, dir}, &out, &errs); code != 1 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("-html %s: exit code %d, %q", c.path, code, errs.String())
		}
	}
}

// TestHTMLCurves runs the page's functions on data whose curves are known.
func TestHTMLCurves(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("the page's functions are tested by node, which is not here")
	}
	out, err := exec.Command(node, filepath.Join("testdata", "curves_test.js")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
