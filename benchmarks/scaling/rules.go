package scaling

import (
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
)

// rule is an optimizer whose steps are measured.
type rule struct {
	name, label string
	make        func() (trainers.Optimizer, []trainers.Option)
	// rare is work of some steps, the more frequent first: its steps have all before it.
	rare []rare
}

// rare is work of one in so many steps: as usual, and while it is measured.
type rare struct {
	name            string
	usual, measured int
	meta            bool // a step's Stats tell it
	divided         bool // it does not depend on the batch and may be divided
}

var rules = []rule{
	{"sgdm", "SGDm", func() (trainers.Optimizer, []trainers.Option) {
		return trainers.SGDm(1e-3), []trainers.Option{trainers.EveryK(0)}
	}, nil},
	{"kfac", "KFAC", func() (trainers.Optimizer, []trainers.Option) {
		o := trainers.KFAC(1e-3)
		o.FactorEvery, o.InverseEvery = 2, 4
		return o, []trainers.Option{trainers.EveryK(0)}
	}, []rare{{name: "factors", usual: 10, measured: 2}, {name: "inverses", usual: 100, measured: 4, divided: true}}},
	{"apo", "APO", func() (trainers.Optimizer, []trainers.Option) {
		return trainers.SGDm(1e-3), []trainers.Option{trainers.EveryK(2)}
	}, []rare{{name: "meta-step", usual: 10, measured: 2, meta: true}}},
	{"precond", "APO-Precond", func() (trainers.Optimizer, []trainers.Option) {
		o := trainers.Precond(1e-3)
		o.WarmUp, o.Frequent = 0, 1
		return o, []trainers.Option{trainers.EveryK(2)}
	}, []rare{{name: "meta-step", usual: 20, measured: 2, meta: true}}},
}

// kind is that of step i: 0, or more for one with rare work.
func (r rule) kind(i int, meta bool) int {
	for k := len(r.rare) - 1; k >= 0; k-- {
		if w := r.rare[k]; w.meta && meta || !w.meta && i%w.measured == 0 {
			return k + 1
		}
	}
	return 0
}

// cycle is after how many steps all kinds have been there.
func (r rule) cycle() int {
	if len(r.rare) == 0 {
		return 1
	}
	return r.rare[len(r.rare)-1].measured
}

// mean is the mean over a long run of what a step of each kind takes.
func (r rule) mean(kinds []float64) float64 {
	m := kinds[0]
	for k, w := range r.rare {
		m += max(0, kinds[k+1]-kinds[k]) / float64(w.usual)
	}
	return m
}

func findRule(name string) (rule, error) {
	for _, r := range rules {
		if r.name == name {
			return r, nil
		}
	}
	return rule{}, errors.Errorf("no rule %q, only %s", name, ruleNames())
}

func ruleNames() string {
	var all []string
	for _, r := range rules {
		all = append(all, r.name)
	}
	return strings.Join(all, ",")
}
