package methods

import "github.com/apo-gorgonia/apo/trainers"

// rival is a rule of recent years that is neither the paper's nor a base of APO's here.
type rival struct {
	name, label, space, needs string
	noL2                      bool
	rule                      func(v Values, run Run) (trainers.Optimizer, error)
	// options are those that the authors evaluate the rule with.
	options []trainers.Option
	// unscheduled is a rule that takes the place of a schedule: it has none, whatever the
	// experiment's, and no method with a cosine.
	unscheduled bool
}

// today are the rules that find their step size themselves, those without a schedule, and
// those that precondition matrices.
var today = []rival{
	{name: "schedule-free-sgd", label: "Schedule-Free SGD", rule: scheduleFree, unscheduled: true},
	{name: "schedule-free-adamw", label: "Schedule-Free AdamW", noL2: true, rule: scheduleFree, unscheduled: true},
	{name: "prodigy", label: "Prodigy", noL2: true},
	{name: "dadapt-adam", label: "D-Adapted Adam"},
	{name: "dog", label: "DoG", options: averagedDoG, unscheduled: true},
	{name: "mechanic-adamw", label: "Mechanic of AdamW", space: "mechanic", noL2: true, rule: mechanic(adamw)},
	{name: "mechanic-nadamw", label: "Mechanic of NAdamW", space: "mechanic", needs: "mechanic-adamw", noL2: true, rule: mechanic(nadamw)},
	{name: "sgd-hd", label: "SGD-HD"},
	{name: "adam-hd", label: "Adam-HD"},
	{name: "hdm-hb", label: "HDM-HB"},
	{name: "soap", label: "SOAP", noL2: true},
	{name: "muon", label: "Muon", noL2: true},
	{name: "psgd-kron", label: "PSGD-Kron", noL2: true},
	{name: "singd", label: "SINGD"},
}

// rivals are the methods of today: each alone, under the experiment's schedule if it has
// one for all, and each with a cosine to 0.
var rivals = func() (ms []*Method) {
	for _, r := range today {
		ms = append(ms, r.method("", "", r.options))
		if !r.unscheduled {
			ms = append(ms, r.method("-cosine", ", cosine", r.options, cosine))
		}
	}
	return ms
}()

// method is the method of a rule, with one schedule or none of its own.
func (r rival) method(suffix, words string, own []trainers.Option, schedule ...func(Run) trainers.Schedule) *Method {
	m := &Method{Name: r.name + suffix, Label: r.label + words, Space: r.space, Needs: r.needs, NoL2: r.noL2}
	if m.Space == "" {
		m.Space = r.name
	}
	if m.Needs == "" {
		m.Needs = r.name
	}
	m.Build = func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
		opts := append([]trainers.Option{trainers.EveryK(0)}, own...)
		for _, s := range schedule {
			opts = append(opts, trainers.WithSchedule(s(run)))
		}
		if r.unscheduled {
			opts = append(opts, trainers.WithSchedule(trainers.Constant()))
		}
		if r.rule != nil {
			o, err := r.rule(v, run)
			return o, opts, err
		}
		settings := make(map[string]any)
		if !r.noL2 {
			settings["weight_decay"] = run.L2
		}
		for name, x := range v {
			if name != "lr" {
				settings[name] = decoded(name, x)
			}
		}
		o, err := newOptimizer(r.name, v["lr"], settings)
		return o, opts, err
	}
	return m
}

// RivalsName stands for a list of methods where a command takes the name of one.
const RivalsName = "rivals"

// Named are the names that a word of a command stands for: RivalsName for NAdamW and the
// rules of recent years, without their forms with a cosine, otherwise the name of a method
// for itself.
func Named(word string) ([]string, error) {
	if word != RivalsName {
		m, err := Get(word)
		if err != nil {
			return nil, err
		}
		return []string{m.Name}, nil
	}
	names := []string{"nadamw"}
	for _, r := range today {
		names = append(names, r.name)
	}
	return names, nil
}
