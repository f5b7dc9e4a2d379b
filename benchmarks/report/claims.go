package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// verdict is the decision on a claim.
type verdict string

const (
	holds  verdict = "holds"
	fails  verdict = "does not hold"
	notRun verdict = "not run"
)

// finding is a claim with its verdict.
type finding struct {
	text    string
	verdict verdict
	detail  string
}

// claim is a claim that results can decide. It is about series, and check decides it
// for each of them, or about the whole section, and check gets no series.
type claim struct {
	where, text string
	// experiments are names or groups of experiments.
	experiments []string
	// timed means that a measurement of time can decide the claim.
	timed bool
	// byTime means that times decide it.
	byTime bool
	// about selects the series; nil for a claim about the section.
	about func(s *section, r *series) bool
	check func(s *section, r *series) (verdict, string)
}

// structured selects all forms of APO-Precond.
func structured(_ *section, r *series) bool { return strings.HasPrefix(r.method.Name, "precond") }

// findings decides those of the claims that apply to the section.
func (s *section) findings(claims []claim) []finding {
	var all []finding
	for _, c := range claims {
		if !c.applies(s.e) || s.timed() && !c.timed {
			continue
		}
		text := c.where + ": " + c.text
		if c.about == nil {
			v, detail := c.check(s, nil)
			all = append(all, finding{text, v, detail})
			continue
		}
		found := false
		for _, r := range s.series {
			if c.about(s, r) {
				found = true
				v, detail := notRun, "times are not comparable"
				if !c.byTime || !s.parallel() {
					v, detail = c.check(s, r)
				}
				all = append(all, finding{text + " [" + r.label + "]", v, detail})
			}
		}
		if !found {
			all = append(all, finding{text, notRun, "no run of the method"})
		}
	}
	return all
}

func (c claim) applies(e *experiments.Experiment) bool {
	for _, name := range c.experiments {
		if e.Name == name || e.Group == name {
			return true
		}
	}
	return false
}

// atMost asks for a final loss that is at most that of each of the others.
func atMost(others ...string) func(*section, *series) (verdict, string) {
	return func(s *section, r *series) (verdict, string) {
		return s.compare(r.final().median, others, func(s *series) float64 { return s.final().median }, "final training loss, median")
	}
}

// compare asks for a value that is at most that of each of the others.
func (s *section) compare(value float64, others []string, of func(*series) float64, what string) (verdict, string) {
	v := holds
	words := []string{what + " " + number(value)}
	for _, name := range others {
		o := s.find(name)
		if o == nil {
			return notRun, name + " was not run"
		}
		if !(value <= of(o)) || math.IsInf(value, 0) {
			v = fails
		}
		words = append(words, fmt.Sprintf("%s %s", o.label, number(of(o))))
	}
	return v, strings.Join(words, ", ")
}

// competitive asks for a value that is at most the largest of the others.
func (s *section) competitive(value float64, others []string, of func(*series) float64, what string) (verdict, string) {
	worst := math.Inf(-1)
	words := []string{what + " " + number(value)}
	for _, name := range others {
		o := s.find(name)
		if o == nil {
			return notRun, name + " was not run"
		}
		worst = max(worst, of(o))
		words = append(words, fmt.Sprintf("%s %s", o.label, number(of(o))))
	}
	if value <= worst && !math.IsInf(value, 0) {
		return holds, strings.Join(words, ", ")
	}
	return fails, strings.Join(words, ", ")
}

// halfway is the training loss after half of the steps, with its name.
func (s *section) halfway() (of func(*series) float64, what string) {
	step := s.config.Steps / 2
	return func(r *series) float64 { return r.loss(step) }, fmt.Sprintf("training loss at step %d, median", step)
}
