package report

import (
	"fmt"
	"math"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// A figure compares methods: the only one of its family stands with those of none, where
// there are such.
func TestGroups(t *testing.T) {
	of := func(families ...string) *section {
		s := &section{e: &experiments.Experiment{Rates: true}}
		for i, f := range families {
			s.series = append(s.series, &series{label: fmt.Sprint(i), method: &methods.Method{Family: f}})
		}
		return s
	}
	for _, c := range []struct {
		s    *section
		want string
	}{
		{of("sgdm", "sgdm", "nadamw", "", ""), "sgdm 0 1;  3 4 2;"},
		{of("sgdm", "adam"), "sgdm 0; adam 1;"},
		{of("", "sgdm"), " 0 1;"},
	} {
		var got string
		for _, g := range c.s.groups() {
			got += g.family
			for _, r := range g.series {
				got += " " + r.label
			}
			got += "; "
		}
		if got != c.want+" " {
			t.Errorf("groups %q, want %q", got, c.want)
		}
	}
}

// Rates that hardly change are not drawn.
func TestConstant(t *testing.T) {
	of := func(rates ...suite.Number) *series {
		r := &suite.Run{}
		for i, v := range rates {
			r.Evaluations = append(r.Evaluations, suite.Evaluation{Step: i, Rates: []suite.Number{v}})
		}
		return &series{method: &methods.Method{}, runs: []*suite.Run{r}}
	}
	p := plots[experiments.RateBySteps]
	for _, c := range []struct {
		g    group
		want bool
	}{
		{group{series: []*series{of(1, 1, 1.04), of(2, 2, suite.Number(math.NaN()))}}, true},
		{group{series: []*series{of(1, 1, 1), of(2, 1.8)}}, false},
		{group{series: []*series{of()}}, true},
	} {
		if got := c.g.constant(p.quantity, p.axis); got != c.want {
			t.Errorf("constant: %v, want %v", got, c.want)
		}
	}
}
