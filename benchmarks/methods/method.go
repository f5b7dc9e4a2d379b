package methods

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// Method is an optimizer with its options and the search space of its
// hyperparameters.
type Method struct {
	// Name is used in commands and files, Label in tables and figures.
	Name, Label string
	// Family is the optimizer whose learning rate several methods set in different
	// ways; "" for a method of another kind.
	Family string
	// Base is the method whose best fixed learning rate, times a factor, is the
	// initial rate; "" for a method that has the rate in its own space.
	Base string
	// Space is the name of the search space's file, without its ending.
	Space string
	// Defaults replace those of the space.
	Defaults Values
	// Needs is the optimizer that the method is made from.
	Needs string
	// NoL2 means that the optimizer has no L2 penalty.
	NoL2 bool
	// Rare is the hyperparameter that is the period, in steps, of rare work such as
	// inverses; "" for none. A short measurement of time might miss such work.
	Rare string
	// Brief are hyperparameters for a short measurement of time, which ends before
	// the warm-up of a normal run would.
	Brief Values
	// Learning is the number of meta-steps in a run of so many steps. It serves to
	// time a method that learns ever more rarely: a step with a meta-step and one
	// without are weighed by their numbers in a long run, and Brief has a mixture of
	// both. nil for a method whose first steps are as those of a long run.
	Learning func(v Values, steps int) int
	// Build makes the optimizer and its options from the hyperparameters.
	Build func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error)
}

// Values are hyperparameters by name.
type Values map[string]float64

// Run has the settings of a run that a method may depend on.
type Run struct {
	Steps int
	L2    float64
	// Decay is the schedule of the methods with step decay. The zero value means a
	// factor of 0.1 at 3/8 and 5/8 of the run, the paper's manual schedule for
	// ResNet-32 (epochs 150 and 250 of 400).
	Decay Decay
	// Rate is the initial learning rate of a method with a Base.
	Rate float64
	// Calibration returns mini-batch i for the calibration before the first step; nil
	// for none.
	Calibration func(i int) (graph.Batch, error)
}

// Available reports whether this version of the library has the optimizer.
func (m *Method) Available() bool {
	return slices.Contains(trainers.OptimizerNames(), m.Needs)
}

// CurrentName is the name of the method of a recorded run: "precond" was the plain
// form while the settings of the optimizer had a momentum mode.
func CurrentName(recorded string, settings []byte) string {
	if recorded == "precond" && bytes.Contains(settings, []byte(`"momentum_mode"`)) {
		return "precond-plain"
	}
	return recorded
}

var registry []*Method

// Register adds methods. Their names must be new.
func Register(ms ...*Method) {
	for _, m := range ms {
		if slices.ContainsFunc(registry, func(o *Method) bool { return o.Name == m.Name }) {
			panic("methods: two of the name " + m.Name)
		}
		registry = append(registry, m)
	}
}

// All are the methods in the order of tables.
func All() []*Method { return slices.Clone(registry) }

// Get returns the method of that name.
func Get(name string) (*Method, error) {
	names := make([]string, len(registry))
	for i, m := range registry {
		if m.Name == name {
			return m, nil
		}
		names[i] = m.Name
	}
	return nil, errors.Errorf("no optimizer %q: one of %s", name, strings.Join(names, ", "))
}
