package experiments

import (
	"slices"

	"github.com/pkg/errors"
)

// preconditioners are the methods that the figures on preconditioning compare.
var preconditioners = []string{"sgdm", "adam", "shampoo", "kfac", "ekfac", "precond", "precond-default", "precond-plain"}

// The experiments in the paper's order. A new one is a file and a line here.
func init() {
	Register(fig1)
	Register(protein)
	Register(parkinsons)
	Register(slice)
	Register(illConditioned("6", illConditioned6))
	Register(illConditioned("32", illConditioned32))
	Register(autoencoder)
	Register(mnistRates)
	for _, e := range slices.Concat(table2Rows(), translations(), table3(), table4Columns(), fig5()) {
		Register(e)
	}
	Register(mnistLoss)
	Register(resnet18Start)
	Register(half)
	Register(robust)
	Register(costAutoencoder)
	Register(costMLP)
	Register(costLeNet)
	Register(costResNet18)
	for _, t := range selfTuning {
		Register(t.Experiment)
	}
}

var registry []*Experiment

// Register adds an experiment. Its name must be new, and it must have a task if it
// has methods.
func Register(e *Experiment) {
	if len(e.Methods) > 0 && e.Task == nil {
		panic("experiments: " + e.Name + " has methods and no task")
	}
	if slices.ContainsFunc(registry, func(o *Experiment) bool { return o.Name == e.Name }) {
		panic("experiments: two of the name " + e.Name)
	}
	registry = append(registry, e)
}

// All returns the experiments in the paper's order, without those of other commands.
func All() []*Experiment {
	return slices.DeleteFunc(slices.Clone(registry), func(e *Experiment) bool { return e.Command != "" })
}

// Every returns All and the experiments that a command of its own runs.
func Every() []*Experiment { return slices.Clone(registry) }

// Find returns the experiments of that name or group.
func Find(name string) ([]*Experiment, error) {
	var found []*Experiment
	for _, e := range registry {
		if e.Name == name || e.Group == name {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil, errors.Errorf("no experiment %q: the command list shows the names", name)
	}
	return found, nil
}

// Get returns the experiment of exactly that name.
func Get(name string) (*Experiment, error) {
	for _, e := range registry {
		if e.Name == name {
			return e, nil
		}
	}
	return nil, errors.Errorf("no experiment %q: the command list shows the names", name)
}
