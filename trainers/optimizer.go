package trainers

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"sort"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Optimizer describes an update rule by its hyperparameters. It holds no state:
// one description may start many trainings. Its constructor, such as Adam, sets
// the usual values; exported fields may be changed before it is used.
type Optimizer interface {
	// Name is the rule's name in the registry, such as "adam".
	Name() string
	// Validate reports hyperparameters out of range.
	Validate() error
	// LearningRate is the initial learning rate η.
	LearningRate() float64
	// start makes the rule's state for a task.
	start(t *task) (rule, error)
}

// former is an Optimizer whose φ are not learning rates: it brings its own form.
type former interface {
	Optimizer
	form(t *task, c *config) (form, error)
}

// adjuster is an Optimizer with default settings of APO of its own.
type adjuster interface{ adjust(c *config) }

// task is what a rule is started for: the parameters it moves and, where they
// are a model's weights, what the curvature of its loss is computed from.
type task struct {
	params []*graph.Param
	model  []*graph.Param // params and the model's statistics; nil for φ
	blocks []graph.Block  // the matrices of the parameters; nil for φ
	src    graph.Source   // nil for φ
	masks  *apoops.Random // may be nil
	seed   uint64
	// targets gives the targets of the Fisher matrix at a step, counted from 0;
	// nil where the rule draws them itself.
	targets func(step int) []*tensor.Dense
}

// signal is what a rule sees of a step.
type signal struct {
	t     int // counts steps from 1
	g     []*tensor.Dense
	norm  float64     // of g
	batch graph.Batch // what g was computed on; empty for φ
	rates []float64   // of each parameter, before a meta-step
}

// rule is a started update rule: θ_i ← θ_i - η_i·d_i, where the directions d
// depend on the state and the gradients, not on η.
type rule interface {
	// directions advances the state, leaves the weights alone and returns the
	// directions d. They may be the gradients' or the state's own arrays: they
	// are valid until the next step and must not be changed.
	directions(s signal) ([]*tensor.Dense, error)
	// certain tells before a step at these rates, one for each parameter, that it
	// leaves weights and state finite; false where that is not known. After an answer
	// of false, and after changes that steps did not make, forget is called.
	certain(s signal, rates []float64) bool
	forget()
	// state lists the arrays of the state for a checkpoint.
	state() []NamedTensor
}

// preparer is a rule with graphs of its own: prepare builds them for batches of
// these shapes, once; after discard it builds them again.
type preparer interface {
	prepare(batch graph.Batch) error
	discard()
}

// wrapper is a form or rule around another.
type wrapper interface{ wrapped() any }

// preparerOf finds the rule with graphs of its own in a form, nil where there is
// none.
func preparerOf(v any) preparer {
	for {
		if p, ok := v.(preparer); ok {
			return p
		}
		w, ok := v.(wrapper)
		if !ok {
			return nil
		}
		v = w.wrapped()
	}
}

// faller is a rule or form that counts how often it fell back on older
// statistics or on the plain gradient because new ones could not be used.
type faller interface{ fallbacks() int }

// mover is a rule that can advance its state and move the weights in one pass
// over memory, at the given rates, one for each parameter.
type mover interface {
	rule
	step(s signal, rates []float64) error
	// reached is how far the step that certain was last asked about may move an
	// element of the weights.
	reached() float64
}

// known is an optimizer of the registry: its initial learning rate where none is
// asked for, and how it is made.
type known struct {
	rate float64
	make func(lr float64) Optimizer
}

// optimizers is the registry of update rules by name.
var optimizers = map[string]known{
	"sgd":           {0.01, func(lr float64) Optimizer { return SGD(lr) }},
	"sgdm":          {0.01, func(lr float64) Optimizer { return SGDm(lr) }},
	"rmsprop":       {0.001, func(lr float64) Optimizer { return RMSprop(lr) }},
	"adam":          {0.001, func(lr float64) Optimizer { return Adam(lr) }},
	"adamw":         {0.001, func(lr float64) Optimizer { return AdamW(lr) }},
	"precond":       {0.1, func(lr float64) Optimizer { return Precond(lr) }},
	"precond-above": {0, func(lr float64) Optimizer { return PrecondFromAbove(lr) }},
	"precond-trust": {0, func(lr float64) Optimizer { return PrecondTrust(lr) }},
	"kfac":          {0.01, func(lr float64) Optimizer { return KFAC(lr) }},
	"ekfac":         {0.01, func(lr float64) Optimizer { return EKFAC(lr) }},
	"shampoo":       {0.01, func(lr float64) Optimizer { return Shampoo(lr) }},
}

// DefaultRate is the learning rate to start the optimizer of that name with where
// nothing is known of the problem; 0 stands for the optimizer's own choice, which
// is 1/λ_WSD for precond-above and precond-trust. An unknown name is an error.
func DefaultRate(name string) (float64, error) {
	o, err := optimizerNamed(name)
	return o.rate, err
}

func optimizerNamed(name string) (known, error) {
	o, ok := optimizers[name]
	if !ok {
		return known{}, errors.Errorf("trainers: unknown optimizer %q: one of %s", name, strings.Join(OptimizerNames(), ", "))
	}
	return o, nil
}

// OptimizerNames lists the names that NewOptimizer knows, in order.
func OptimizerNames() []string {
	names := make([]string, 0, len(optimizers))
	for n := range optimizers {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// NewOptimizer makes the optimizer of that name with its usual hyperparameters
// and the learning rate lr. settings, which may be nil, is a JSON object that
// overrides fields, such as {"beta2": 0.98}; unknown fields are errors.
func NewOptimizer(name string, lr float64, settings json.RawMessage) (Optimizer, error) {
	known, err := optimizerNamed(name)
	if err != nil {
		return nil, err
	}
	o := known.make(lr)
	if len(settings) > 0 {
		if text := bytes.TrimSpace(settings); string(text) == "null" { // would change nothing
			return nil, errors.Errorf("trainers: settings of %s are null, want a JSON object", name)
		}
		dec := json.NewDecoder(strings.NewReader(string(settings)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(o); err != nil {
			return nil, errors.Wrapf(err, "trainers: settings of %s", name)
		}
		if _, err := dec.Token(); err != io.EOF {
			return nil, errors.Errorf("trainers: settings of %s go on after the JSON object", name)
		}
	}
	return o, o.Validate()
}

// check is one condition on a hyperparameter.
type check struct {
	field string
	value float64
	ok    bool
	want  string
}

// firstFailed turns the first condition that does not hold into an error.
func firstFailed(optimizer string, checks ...check) error {
	for _, c := range checks {
		if !c.ok || math.IsNaN(c.value) {
			return errors.Errorf("trainers: %s: %s is %v: it must be %s", optimizer, c.field, c.value, c.want)
		}
	}
	return nil
}

func positive(field string, v float64) check {
	return check{field, v, v > 0 && !math.IsInf(v, 0), "positive and finite"}
}

func notNegative(field string, v float64) check {
	return check{field, v, v >= 0 && !math.IsInf(v, 0), "0 or more and finite"}
}

func fraction(field string, v float64) check {
	return check{field, v, v >= 0 && v < 1, "at least 0 and less than 1"}
}

func interval(field string, n int) check {
	return check{field, float64(n), n >= 1, "1 or more"}
}
