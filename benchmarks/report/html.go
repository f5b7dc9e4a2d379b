package report

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"text/template"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// interactive has the parts of the page of curves: its text, the functions on its data and
// those that show them.
//
//go:embed interactive
var interactive embed.FS

// htmlExperiment is an experiment at a scale in the data of the page of curves.
type htmlExperiment struct {
	Name   string       `json:"name"`
	Title  string       `json:"title"`
	Scale  string       `json:"scale"`
	Series []htmlSeries `json:"series"`
}

// htmlSeries has the runs of a method and variant.
type htmlSeries struct {
	Label  string    `json:"label"`
	Color  string    `json:"color"`
	Dotted bool      `json:"dotted"`
	Runs   []htmlRun `json:"runs"`
}

// htmlRun is a run by columns. A value that is not finite is null; a column without any
// finite value is left out.
type htmlRun struct {
	Seed      uint64     `json:"seed"`
	Step      []int      `json:"step"`
	Epoch     []float64  `json:"epoch"`
	Seconds   []float64  `json:"seconds"`
	TrainLoss []*float64 `json:"train_loss,omitempty"`
	TestLoss  []*float64 `json:"test_loss,omitempty"`
	Accuracy  []*float64 `json:"accuracy,omitempty"`
	Rate      []*float64 `json:"rate,omitempty"`
}

// writeHTML writes the page of curves of the sections: a single file that a browser opens
// without a network, with menus for methods and seeds.
func writeHTML(path string, sections []*section) error {
	page, err := htmlPage(sections)
	if err != nil {
		return err
	}
	return errors.WithStack(durable.WriteFile(path, page))
}

func htmlPage(sections []*section) ([]byte, error) {
	all := []htmlExperiment{}
	for _, s := range sections {
		if e := htmlOf(s); len(e.Series) > 0 {
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("-html: no finished run has curves")
	}
	data, err := json.Marshal(all) // which writes < as \u003c, so that no text ends the script
	if err != nil {
		return nil, errors.WithStack(err)
	}
	parts := map[string]string{"Data": string(data)}
	for name, file := range map[string]string{"Curves": "curves.js", "View": "view.js"} {
		code, err := interactive.ReadFile("interactive/" + file)
		if err != nil {
			return nil, errors.WithStack(err)
		}
		parts[name] = string(code)
	}
	t, err := template.ParseFS(interactive, "interactive/page.html")
	if err != nil {
		return nil, errors.WithStack(err)
	}
	var page bytes.Buffer
	if err := t.Execute(&page, parts); err != nil {
		return nil, errors.WithStack(err)
	}
	return page.Bytes(), nil
}

func htmlOf(s *section) htmlExperiment {
	e := htmlExperiment{Name: s.e.Name, Title: s.e.Title, Scale: string(s.scale)}
	if s.timed() {
		return e
	}
	for i, r := range s.series {
		c, dotted := chart.Look(i)
		h := htmlSeries{Label: r.label, Color: htmlColor(c), Dotted: dotted}
		for _, run := range r.runs {
			h.Runs = append(h.Runs, htmlRunOf(run))
		}
		e.Series = append(e.Series, h)
	}
	return e
}

func htmlRunOf(run *suite.Run) htmlRun {
	h := htmlRun{Seed: run.Header.Seed}
	for _, e := range run.Evaluations {
		h.Step, h.Epoch, h.Seconds = append(h.Step, e.Step), append(h.Epoch, e.Epoch), append(h.Seconds, e.Seconds)
	}
	h.TrainLoss, h.TestLoss = htmlColumn(run, trainingLoss), htmlColumn(run, testLoss)
	h.Accuracy, h.Rate = htmlColumn(run, testAccuracy), htmlColumn(run, learningRate)
	return h
}

// htmlColumn is a quantity at each evaluation of a run, nil if it is nowhere finite.
func htmlColumn(run *suite.Run, q quantity) []*float64 {
	column, any := make([]*float64, len(run.Evaluations)), false
	for i, e := range run.Evaluations {
		if v := q.of(e); !math.IsNaN(v) && !math.IsInf(v, 0) {
			column[i], any = &v, true
		}
	}
	if !any {
		return nil
	}
	return column
}

func htmlColor(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
