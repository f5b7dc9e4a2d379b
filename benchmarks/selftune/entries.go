package selftune

import (
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// competitor is a method of the comparison, with what it takes besides its space.
type competitor struct {
	*methods.Method
	// rates are the hyperparameters that are initial learning rates. A method with a Base
	// starts from that method's default rate.
	rates []string
	// apo is a method of this project.
	apo bool
	// warmUp lets the rate rise for the first part of a run, scheduled takes it along a
	// cosine where the method has no schedule of its own.
	warmUp, scheduled bool
}

// starts reports whether the method has an initial rate, and so several starts.
func (c competitor) starts() bool { return len(c.rates) > 0 || c.Base != "" }

// competitors are the methods in the order of tables.
func competitors() ([]competitor, error) {
	lr := []string{"lr"}
	var all []competitor
	for _, c := range []struct {
		name string
		competitor
	}{
		{"nadamw-cosine", competitor{rates: lr, warmUp: true}},
		{"schedule-free-adamw", competitor{rates: lr}},
		{"prodigy-cosine", competitor{}},
		{"dadapt-adam-cosine", competitor{}},
		{"dog", competitor{}},
		{"mechanic-nadamw-cosine", competitor{rates: lr}},
		{"sgd-hd", competitor{rates: lr}},
		{"adam-hd", competitor{rates: lr}},
		{"hdm-hb", competitor{rates: lr}},
		{"soap-cosine", competitor{rates: lr, warmUp: true}},
		{"muon-cosine", competitor{rates: []string{"lr", "adam_lr"}, warmUp: true}},
		{"psgd-kron-cosine", competitor{rates: lr, warmUp: true}},
		{"singd-cosine", competitor{rates: lr, warmUp: true}},
		{"adam-apo", competitor{apo: true}},
		{"adam-apo-next", competitor{apo: true}},
		{"adam-apo-calibrated", competitor{apo: true}},
		{"nadamw-apo-calibrated", competitor{apo: true}},
		{"precond", competitor{rates: lr, apo: true, scheduled: true}},
		{"precond-found", competitor{apo: true, scheduled: true}},
	} {
		m, err := methods.Get(c.name)
		if err != nil {
			return nil, err
		}
		c.Method = m
		all = append(all, c.competitor)
	}
	return all, nil
}

// chosenCompetitors are the named methods, or all for an empty list.
func chosenCompetitors(list string) ([]competitor, error) {
	all, err := competitors()
	if err != nil || list == "" {
		return all, err
	}
	return pick(list, all, func(c competitor) string { return c.Name })
}

// pick are the named elements of all, in their order there.
func pick[T any](list string, all []T, name func(T) string) ([]T, error) {
	var names []string
	for _, x := range all {
		names = append(names, name(x))
	}
	var words []string
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		if !slices.Contains(names, word) {
			return nil, errors.Errorf("%q: one of %s", word, strings.Join(names, ", "))
		}
		words = append(words, word)
	}
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return !slices.Contains(words, name(x)) }), nil
}

// The configurations of a method.
const (
	authors    = "authors"
	calibrated = "calibrated"
)

var configurations = []string{authors, calibrated}

var configLabels = map[string]string{authors: "authors' defaults", calibrated: "calibrated configuration"}

// start is an initial rate as a multiple of the configuration's.
type start struct {
	name   string
	factor float64
}

var starts = []start{{"best", 1}, {"low", 1e-3}, {"high", 30}}

// entry is a method with one of its configurations: a line of the profiles.
type entry struct {
	competitor
	config string
}

func (e entry) label() string { return e.Label + ", " + configLabels[e.config] }

// variant is that of the entry's jobs from a start. A method without initial rate has one
// for all starts.
func (e entry) variant(s start) string {
	if !e.starts() || s.factor == 1 {
		return e.config
	}
	return e.config + "-" + s.name
}

// entriesOf are the methods with all configurations, those of one method side by side.
func entriesOf(cs []competitor) (all []entry) {
	for _, c := range cs {
		for _, config := range configurations {
			all = append(all, entry{c, config})
		}
	}
	return all
}
