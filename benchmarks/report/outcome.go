package report

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// The results of comparing APO with the best other method.
const (
	better  = "better"
	worse   = "worse"
	unclear = "no clear difference"
)

// outcome compares the best form of APO with the best other method, "" if one of them was
// not run.
func (t task) outcome() string {
	ours, others := t.best(apo), t.best(func(r result) bool { return !apo(r) })
	switch {
	case ours == nil || others == nil:
		return ""
	case min(ours.high, others.high) >= max(ours.low, others.low):
		return unclear
	case t.above(ours.median, others.median):
		return better
	}
	return worse
}

// worksText counts the experiments in which the best form of APO is better, and names those
// in which it is worse.
func worksText(tasks []task) string {
	n := make(map[string]int)
	var lost []string
	for _, t := range tasks {
		outcome := t.outcome()
		n[outcome]++
		if outcome == worse {
			lost = append(lost, t.p.label())
		}
	}
	all := n[better] + n[unclear] + n[worse]
	if all == 0 {
		return "No experiment has runs of APO and of another method."
	}
	text := fmt.Sprintf("In %d of %d experiments its best form ends better than the best other method, in %d there is no clear difference, in %d it ends worse",
		n[better], all, n[unclear], n[worse])
	if len(lost) > 0 {
		text += " (" + strings.Join(lost, "; ") + ")"
	}
	return text + "."
}

// label is the experiment's place in the paper, and its title.
func (p *page) label() string {
	if p.e.Figure == experiments.NotInThePaper {
		return p.e.Title
	}
	return p.e.Figure + ": " + p.e.Title
}
