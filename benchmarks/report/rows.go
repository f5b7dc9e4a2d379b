package report

import (
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// row is a row of the table of claims of a part, or of a claim about an experiment that
// was not run.
type row struct {
	heading string // of the part, or the experiment's name
	text    string
	verdict verdict
	figures string
}

// claimsOf are the rows of the table under a title in a part.
func (q part) claimsOf(title string) []row {
	_, text, ok := strings.Cut("\n"+q.text, "\n### "+title+"\n")
	if !ok {
		return nil
	}
	text, _, _ = strings.Cut(text, "\n### ")
	var all []row
	for _, t := range tablesOf(text) {
		for _, cells := range t.rows {
			all = append(all, row{q.heading, cell(cells, 0), verdict(strings.Trim(cell(cells, 1), "*")), cell(cells, 2)})
		}
	}
	return all
}

// addClaims adds the table of claims of a part.
func (d *document) addClaims(title string, rows []row) {
	if len(rows) == 0 {
		return
	}
	t := table{head: []string{"claim", "here", "figures"}}
	for _, r := range rows {
		t.add(r.text, "**"+string(r.verdict)+"**", r.figures)
	}
	d.add("### %s", title)
	d.add("%s", strings.TrimSpace(t.String()))
}

// rowsOf are the decisions on the claims that apply to a section.
func rowsOf(s *section, claims []claim) []row {
	var all []row
	for _, f := range s.findings(claims) {
		all = append(all, row{s.heading(), f.text, f.verdict, f.detail})
	}
	return all
}

// rows are those of all pages under a title, and those of the experiments that were not
// run.
func (all pages) rows(title string, claims []claim) []row {
	var rows []row
	for _, p := range all {
		for _, q := range p.parts {
			rows = append(rows, q.claimsOf(title)...)
		}
		if len(p.parts) > 0 || p.e.TimedAt(experiments.Small) && len(p.e.Accuracies)+len(p.e.Scores) > 0 {
			continue // those nets of the paper are too large here
		}
		for _, f := range (&section{e: p.e}).findings(claims) {
			rows = append(rows, row{p.e.Name, f.text, notRun, "no results of this experiment"})
		}
	}
	return rows
}

// of cuts the series that a claim is about, in brackets, from the text of the claim.
func (r row) of() (claim, label string) {
	claim, label, ok := strings.Cut(r.text, " [")
	if !ok {
		return r.text, ""
	}
	return claim, strings.TrimSuffix(label, "]")
}
