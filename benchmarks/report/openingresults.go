package report

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// result is a row of the table of results of a part.
type result struct {
	label, seeds string
	spread
	ok    bool   // it is known, and not all runs diverged
	text  string // its median
	paper string // the paper's, "-" for none
	ratio string // the time of a step to SGDm's, or AdamW's
	fixed string // the time of a step to that at the fixed rate
}

// task is a part with results that methods can be compared by.
type task struct {
	p       *page
	q       part
	measure string
	more    bool // is better
	paper   string
	results []result
}

// measures are the tables of results, by the heads of their columns.
var measures = []struct {
	head, name string
	more       bool
}{
	{"test accuracy at the end: median", "test accuracy", true},
	{"test BLEU: median", "BLEU", true},
	{"final training loss: median", "training loss", false},
}

// taskOf reads the table of results of a part; ok is false if it has none.
func taskOf(p *page, q part) (t task, ok bool) {
	for _, table := range tablesOf(q.text) {
		for _, m := range measures {
			c := table.column(m.head)
			if c < 0 {
				continue
			}
			ratio := max(table.column("to SGDm's"), table.column("to AdamW's"))
			t = task{p: p, q: q, measure: m.name, more: m.more}
			if i := table.column("the paper's"); i >= 0 {
				_, t.paper, _ = strings.Cut(table.head[i], ", ")
			}
			for _, row := range table.rows {
				text, _, _ := strings.Cut(cell(row, c), " (")
				text, _, _ = strings.Cut(text, ";")
				r := result{label: cell(row, 0), seeds: cell(row, table.column("seeds")), text: text, paper: cell(row, table.column("the paper's")),
					ratio: cell(row, ratio), fixed: cell(row, table.column("to the fixed rate's"))}
				r.spread, r.ok = spreadIn(cell(row, c))
				t.results = append(t.results, r)
			}
			return t, true
		}
	}
	return task{}, false
}

// tasks are those of the largest scale of each experiment.
func (o *opening) tasks() []task {
	var all []task
	for _, p := range o.pages {
		if q := p.main(); q != nil {
			if t, ok := taskOf(p, *q); ok {
				all = append(all, t)
			}
		}
	}
	return all
}

func apo(r result) bool   { return isAPO(r.label) }
func plain(r result) bool { return apo(r) && strings.Contains(r.label, "(plain)") }

// best is the best result of those that are selected, or nil.
func (t task) best(selected func(result) bool) *result {
	var top *result
	for i := range t.results {
		r := &t.results[i]
		if selected(*r) && r.ok && (top == nil || t.above(r.median, top.median)) {
			top = r
		}
	}
	return top
}

// above reports whether a is better than b.
func (t task) above(a, b float64) bool {
	if t.more {
		return a > b
	}
	return a < b
}

// taskTable has a line for each task.
func (o *opening) taskTable(tasks []task) string {
	t := table{head: []string{"experiment", "length", "seeds", "measure", "best other method", "APO, best form", "APO, plain form", "APO is", "time of a step"}}
	for _, k := range tasks {
		others, ours := k.best(func(r result) bool { return !apo(r) }), k.best(apo)
		if others == nil && ours == nil {
			continue
		}
		outcome := k.outcome()
		if outcome == better {
			outcome = "**" + better + "**"
		}
		t.add(o.page(k.p, k.p.label()), k.q.length(), k.seeds(), k.measure, others.String(), ours.String(), k.best(plain).String(), outcome, ratios(others, ours))
	}
	return strings.TrimSpace(t.String())
}

func (r *result) String() string {
	if r == nil {
		return "-"
	}
	return r.label + " " + r.text
}

// ratios are the times of a step to SGDm's of two results.
func ratios(results ...*result) string {
	text := "1"
	for _, r := range results {
		if r == nil {
			text += " : -"
		} else {
			text += " : " + r.ratio
		}
	}
	return text
}

// seeds is the number of seeds of the results.
func (t task) seeds() string {
	var all []string
	for _, r := range t.results {
		if !slices.Contains(all, r.seeds) {
			all = append(all, r.seeds)
		}
	}
	return strings.Join(all, ", ")
}

var (
	epochsHere = regexp.MustCompile(`\(([0-9.e+]+) (epochs?) of`)
	stepsHere  = regexp.MustCompile(`, (\d+ steps) of batches`)
)

// length is the length of a part's runs.
func (q part) length() string {
	if m := epochsHere.FindStringSubmatch(q.text); m != nil {
		if n, err := strconv.ParseFloat(m[1], 64); err == nil && n < 1000 && n >= 1 {
			return m[1] + " " + m[2]
		}
	}
	if m := stepsHere.FindStringSubmatch(q.text); m != nil {
		return m[1]
	}
	return "-"
}

// costText says what a step costs: from the measurements of cost, and at learned rates
// from all tables of accuracy.
func (o *opening) costText() string {
	times := make(map[string][]float64)
	add := func(name, cell string) {
		if x, err := strconv.ParseFloat(cell, 64); err == nil {
			times[name] = append(times[name], x)
		}
	}
	for _, p := range o.pages {
		for _, q := range p.parts {
			for _, t := range tablesOf(q.text) {
				for _, row := range t.rows {
					if t.column("ms a step: median") >= 0 {
						add(cell(row, 0), cell(row, t.column("to SGDm's")))
					}
					for _, form := range []string{"(plain)", "(calibrated)"} {
						if strings.Contains(cell(row, 0), form) {
							add(form, cell(row, t.column("to the fixed rate's")))
						}
					}
				}
			}
		}
	}
	var words []string
	for _, w := range []struct{ name, format string }{
		{"APO-Precond", "a step of APO-Precond takes %s times the time of one of SGDm"}, {"KFAC", "KFAC %s times"},
		{"(calibrated)", "a step with a calibrated rate takes %s times that at a fixed rate"}, {"(plain)", "the plain form %s times"},
	} {
		if x := times[w.name]; len(x) > 0 {
			words = append(words, fmt.Sprintf(w.format, between(x)))
		}
	}
	if len(words) == 0 {
		return ""
	}
	text := strings.Join(words, "; ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// between is the range of values.
func between(x []float64) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	if low == high {
		return fmt.Sprintf("%.2f", low)
	}
	return fmt.Sprintf("%.2f to %.2f", low, high)
}

// numberTable has the paper's numbers beside those here, a line for each experiment.
func (o *opening) numberTable() *table {
	t := table{head: []string{"experiment", "the paper's epochs", "ours", "without APO: ours (the paper's)", "with APO: ours (the paper's)"}}
	for _, p := range o.pages {
		for _, q := range p.parts {
			k, ok := taskOf(p, q)
			if !ok {
				continue
			}
			var with, without []string
			for _, r := range k.results {
				if r.paper == "-" {
					continue
				}
				text := fmt.Sprintf("%s %s (%s)", r.label, r.text, r.paper)
				if apo(r) {
					with = append(with, text)
				} else {
					without = append(without, text)
				}
			}
			if len(with)+len(without) > 0 {
				t.add(o.page(p, p.e.Title), orDash(strings.TrimSuffix(k.paper, " epochs")), q.length(), orDash(strings.Join(without, ", ")), orDash(strings.Join(with, ", ")))
			}
		}
	}
	return &t
}
