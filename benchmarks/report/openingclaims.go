package report

import (
	"fmt"
	"slices"
	"strings"
)

// claimTable has a line for each claim of the paper: on which experiments it was tested,
// and how it was decided for the best form of APO and for the plain one.
func (o *opening) claimTable() string {
	var order []string
	byClaim := make(map[string][]row)
	for _, r := range o.claims {
		claim, _ := r.of()
		if strings.HasPrefix(claim, "goal") {
			continue // of an experiment that is not in the paper
		}
		if _, ok := byClaim[claim]; !ok {
			order = append(order, claim)
		}
		byClaim[claim] = append(byClaim[claim], r)
	}
	t := table{head: []string{"claim", "experiments", "APO, best form", "APO, plain form"}}
	for _, claim := range order {
		rows := byClaim[claim]
		best, plain := bestForm(rows)
		t.add(claim, o.where(rows), best, plain)
	}
	return strings.TrimSpace(t.String())
}

// where links the pages of the experiments of claims.
func (o *opening) where(rows []row) string {
	var names []string
	for _, r := range rows {
		name, _, run := strings.Cut(r.heading, ", ")
		i := slices.IndexFunc(o.pages, func(p *page) bool { return p.e.Name == name })
		if run && i >= 0 {
			name = o.page(o.pages[i], name)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// formPlain is the paper's form, formTuned the recommended one with tuned settings.
const (
	formPlain = "plain"
	formTuned = ""
)

// formOf is the form of APO of a series' label.
func formOf(label string) string {
	for _, form := range []string{formPlain, "calibrated", "relative"} {
		if strings.Contains(label, "("+form+")") {
			return form
		}
	}
	if strings.HasSuffix(label, ", defaults") {
		return "defaults"
	}
	return formTuned
}

// bestForm counts for which part of the rows a claim holds, for the form of APO for which
// it holds most often, and for the plain form.
func bestForm(rows []row) (best, plain string) {
	var forms []string
	counts := make(map[string]*tally)
	for _, r := range rows {
		_, label := r.of()
		form := formOf(label)
		if counts[form] == nil {
			forms = append(forms, form)
			counts[form] = &tally{}
		}
		counts[form].add(r.verdict)
	}
	plain = "-"
	if c := counts[formPlain]; c != nil {
		plain = c.String()
	}
	forms = slices.DeleteFunc(forms, func(f string) bool { return f == formPlain })
	if len(forms) == 0 {
		return plain, plain
	}
	top := forms[0]
	for _, f := range forms[1:] {
		if counts[f].share() > counts[top].share() {
			top = f
		}
	}
	best = counts[top].String()
	if top != formTuned && counts[top].holds+counts[top].fails > 0 {
		best += " (" + top + ")"
	}
	return best, plain
}

// tally counts verdicts.
type tally struct{ holds, fails, notRun int }

func (t *tally) add(v verdict) {
	switch v {
	case holds:
		t.holds++
	case fails:
		t.fails++
	default:
		t.notRun++
	}
}

// share is the part of the decided claims that hold, -1 if none is decided.
func (t *tally) share() float64 {
	if t.holds+t.fails == 0 {
		return -1
	}
	return float64(t.holds) / float64(t.holds+t.fails)
}

func (t *tally) String() string {
	n := t.holds + t.fails
	switch {
	case n == 0:
		return string(notRun)
	case t.holds == n && n == 1:
		return "**" + string(holds) + "**"
	case t.holds == n:
		return fmt.Sprintf("**%s** (%d of %d)", holds, n, n)
	case t.holds == 0 && n == 1:
		return "**" + string(fails) + "**"
	case t.holds == 0:
		return fmt.Sprintf("**%s** (0 of %d)", fails, n)
	}
	return fmt.Sprintf("**%s in %d of %d**", holds, t.holds, n)
}
