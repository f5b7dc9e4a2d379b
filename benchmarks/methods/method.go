package methods

import (
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// Method is a way to train: an optimizer with its options and the space of its
// hyperparameters.
type Method struct {
	// Name is used in commands and files, Label in tables and figures.
	Name, Label string
	// Family is the optimizer that several methods tune the rate of, "" for a
	// method on its own.
	Family string
	// Base names the method whose best fixed rate the initial learning rate is
	// a multiple of; "" for a method whose own space has its rate.
	Base string
	// Space names the file of the hyperparameters' space.
	Space string
	// Cost is about the time of a step, SGDm's being 1: for estimates alone.
	Cost float64
	// Needs is the optimizer without which the method is not available.
	Needs string
	// NoL2 is true if the optimizer has no L2 penalty.
	NoL2 bool
	// Rare names the hyperparameter that is the period, in steps, of work that a
	// short measurement of time would not see, such as inverses; "" for none.
	Rare string
	// Brief are hyperparameters of a short measurement of time, whose steps are
	// fewer than those that only begin a training.
	Brief Values
	// Build makes the optimizer and its options from the hyperparameters.
	Build func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error)
}

// Values are hyperparameters by name.
type Values map[string]float64

// Run is what a method knows of the run it is for.
type Run struct {
	Steps int
	L2    float64
	// Decay is the schedule of the methods with a step decay; the zero value
	// stands for a tenth at 3/8 and 5/8 of the run, as the paper's manual schedule
	// of ResNet-32 (epochs 150 and 250 of 400).
	Decay Decay
	// Rate is the initial learning rate, for methods with a Base.
	Rate float64
	// Calibration serves mini-batches before the first step; nil for none.
	Calibration func(i int) (graph.Batch, error)
}

// Available tells whether this version of the library has the optimizer.
func (m *Method) Available() bool {
	return slices.Contains(trainers.OptimizerNames(), m.Needs)
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
