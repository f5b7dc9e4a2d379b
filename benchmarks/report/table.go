package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// table is a Markdown table.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, r := range t.rows {
		line(r)
	}
	return b.String()
}

// lossTable compares the methods by final training loss and by time.
func (s *section) lossTable() string {
	t := table{head: []string{"method", "seeds", "final training loss: median (smallest … largest)", "seconds to Adam's final loss",
		"ms a step", "to SGDm's", "to KFAC's", "peak memory, MB"}}
	hasAccuracy := slices.ContainsFunc(s.series, (*series).tested)
	if hasAccuracy {
		t.head = append(t.head, "test accuracy")
	}
	adam, sgdm, kfac := s.find("adam"), s.find("sgdm"), s.find("kfac")
	for _, r := range s.series {
		reach := "-"
		if adam != nil && !s.parallel() {
			reach = seconds(r.timeTo(adam.final().median))
		}
		cells := []string{r.label, fmt.Sprint(len(r.runs)), r.final().text() + r.divergence(), reach,
			number(1000 * r.secondsPerStep()), ratio(r, sgdm), ratio(r, kfac), r.memory()}
		if hasAccuracy {
			cells = append(cells, percent(r.accuracy().median))
		}
		t.add(cells...)
	}
	return t.String()
}

// costTable compares the time of a step and the memory.
func (s *section) costTable() string {
	t := table{head: []string{"method", "rounds", "ms a step: median (smallest … largest)", "to SGDm's", "to Adam's", "to KFAC's", "to EKFAC's", "peak memory, MB"}}
	for _, r := range s.series {
		ms := r.each(func(run *suite.Run) float64 { return 1000 * run.Done.SecondsPerStep })
		cells := []string{r.label, fmt.Sprint(len(r.runs)), spreadOf(ms).text() + r.divergence()}
		for _, name := range []string{"sgdm", "adam", "kfac", "ekfac"} {
			cells = append(cells, ratio(r, s.find(name)))
		}
		t.add(append(cells, r.memory())...)
	}
	return t.String()
}

// memory is the peak memory with its growth during training.
func (r *series) memory() string {
	start := suite.Median(r.each(func(run *suite.Run) float64 { return float64(run.Done.StartBytes) }))
	return fmt.Sprintf("%.0f (+%.0f)", r.peakBytes()/1e6, (r.peakBytes()-start)/1e6)
}

func (s spread) text() string {
	if s.low == s.high {
		return number(s.median)
	}
	return fmt.Sprintf("%s (%s … %s)", number(s.median), number(s.low), number(s.high))
}

func (r *series) divergence() string {
	if n := r.diverged(); n > 0 {
		return fmt.Sprintf("; %d diverged", n)
	}
	return ""
}

func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "-"
	case math.IsInf(x, 0):
		return "diverged"
	}
	return fmt.Sprintf("%.3g", x)
}

func seconds(x float64) string {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return "not reached"
	}
	return fmt.Sprintf("%.3g", x)
}

func percent(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*x)
}

// ratio is the ratio of the times of a step of two methods.
func ratio(r, to *series) string {
	if to == nil || !(to.secondsPerStep() > 0) || !(r.secondsPerStep() > 0) {
		return "-"
	}
	return fmt.Sprintf("%.2f", r.secondsPerStep()/to.secondsPerStep())
}

// rateTable has a row for each optimizer and a column for each way to set its learning
// rate, as Table 4 of the paper.
func (s *section) rateTable() string {
	column := func(r *series) string {
		if r.method.Family == "" {
			return "as it is"
		}
		way := strings.TrimPrefix(strings.TrimPrefix(r.method.Name, r.method.Family), "-")
		switch way {
		case "":
			way = "best fixed"
			if len(s.rates(r.method.Name)) > 0 {
				way = "fixed"
			}
		case "decay":
			way = "step decay"
		case "apo":
			way = "APO (plain)"
		case "apo-calibrated":
			way = "APO (calibrated)"
		}
		if r.header.Variant != "" {
			way += ", " + strings.ReplaceAll(r.header.Variant, "-", " ")
		}
		return way
	}
	what, cell := "final training loss", func(r *series) string { return r.final().text() + r.divergence() }
	if s.e.Measure == experiments.TestAccuracy {
		what, cell = "test accuracy at the end", s.besidePaper
	}
	t := table{head: []string{what}}
	for _, r := range s.series {
		if c := column(r); !slices.Contains(t.head, c) {
			t.head = append(t.head, c)
		}
	}
	for _, g := range s.rateRows() {
		row := make([]string, len(t.head))
		row[0] = g[0].method.Label
		for i := range row[1:] {
			row[i+1] = "not run"
		}
		for _, r := range g {
			row[slices.Index(t.head, column(r))] = cell(r)
		}
		t.add(row...)
	}
	return t.String()
}

// rateRows are the series of each row of rateTable: those of a family, or one that is of
// none.
func (s *section) rateRows() (rows [][]*series) {
	for _, g := range s.groups() {
		if g.family != "" {
			rows = append(rows, g.series)
			continue
		}
		for _, r := range g.series {
			rows = append(rows, []*series{r})
		}
	}
	return rows
}

// settingsTable lists the hyperparameters.
func (s *section) settingsTable() string {
	t := table{head: []string{"method", "hyperparameters", "from"}}
	for _, r := range s.series {
		t.add(r.label, r.values(s.e.Spaces), r.header.Source)
	}
	return t.String()
}

func (r *series) values(spaces string) string {
	var words []string
	space, err := r.method.SearchSpace(spaces)
	if err != nil { // impossible: a test reads the embedded files
		space = methods.Space{}
	}
	for _, d := range space {
		if v, ok := r.header.Values[d.Name]; ok {
			words = append(words, fmt.Sprintf("%s %.3g", d.Name, v))
		}
	}
	if r.header.Rate != 0 {
		words = append(words, fmt.Sprintf("initial rate %.3g", r.header.Rate))
	}
	return strings.Join(words, ", ")
}
