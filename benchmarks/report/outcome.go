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
	ahead   = "ahead, one seed"
	behind  = "behind, one seed"
)

// outcome compares the best form of APO with the best other method, "" if one of them was
// not run.
func (t task) outcome() string {
	ours, others := t.best(apo), t.best(func(r result) bool { return !apo(r) })
	switch {
	case ours == nil || others == nil:
		return ""
	case ours.median == others.median:
		return unclear
	case ours.seeds == "1" || others.seeds == "1":
		if t.above(ours.median, others.median) {
			return ahead
		}
		return behind
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
	lost := make(map[string][]string)
	for _, t := range tasks {
		outcome := t.outcome()
		n[outcome]++
		lost[outcome] = append(lost[outcome], t.p.label())
	}
	var parts []string
	if all := n[better] + n[unclear] + n[worse]; all > 0 {
		parts = append(parts, fmt.Sprintf("In %d of %d experiments with several seeds its best form ends better than the best other method, in %d there is no clear difference, in %d it ends worse%s.",
			n[better], all, n[unclear], n[worse], inBrackets(lost[worse])))
	}
	if all := n[ahead] + n[behind]; all > 0 {
		parts = append(parts, fmt.Sprintf("In %d of %d experiments with one seed it ends ahead, in %d behind%s.", n[ahead], all, n[behind], inBrackets(lost[behind])))
	}
	if len(parts) == 0 {
		return "No experiment has runs of APO and of another method."
	}
	return strings.Join(parts, " ")
}

// inBrackets lists names behind a space, nothing where there are none.
func inBrackets(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, "; ") + ")"
}

// label is the experiment's place in the paper, and its title.
func (p *page) label() string {
	if p.e.Figure == experiments.NotInThePaper {
		return p.e.Title
	}
	return p.e.Figure + ": " + p.e.Title
}
