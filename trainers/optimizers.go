package trainers

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// known is an optimizer of the registry: its default learning rate and how it is
// made.
type known struct {
	rate float64
	make func(lr float64) Optimizer
}

// optimizers is the registry of update rules by name.
var optimizers = struct {
	sync.RWMutex
	byName map[string]known
}{byName: map[string]known{
	"sgd":     {0.01, func(lr float64) Optimizer { return SGD(lr) }},
	"sgdm":    {0.01, func(lr float64) Optimizer { return SGDm(lr) }},
	"rmsprop": {0.001, func(lr float64) Optimizer { return RMSprop(lr) }},
	"adam":    {0.001, func(lr float64) Optimizer { return Adam(lr) }},
	"adamw":   {0.001, func(lr float64) Optimizer { return AdamW(lr) }},

	"nadamw":              {0.001, func(lr float64) Optimizer { return NAdamW(lr) }},
	"sgd-hd":              {0.01, func(lr float64) Optimizer { return SGDHD(lr) }},
	"adam-hd":             {0.001, func(lr float64) Optimizer { return AdamHD(lr) }},
	"hdm-hb":              {0.01, func(lr float64) Optimizer { return HDMHB(lr) }},
	"dog":                 {1, func(lr float64) Optimizer { return DoG(lr) }},
	"ldog":                {1, func(lr float64) Optimizer { return LDoG(lr) }},
	"dadapt-adam":         {1, func(lr float64) Optimizer { return DAdaptAdam(lr) }},
	"prodigy":             {1, func(lr float64) Optimizer { return Prodigy(lr) }},
	"schedule-free-sgd":   {1, func(lr float64) Optimizer { return ScheduleFreeSGD(lr) }},
	"schedule-free-adamw": {0.0025, func(lr float64) Optimizer { return ScheduleFreeAdamW(lr) }},
	"muon":                {0.02, func(lr float64) Optimizer { return Muon(lr) }},
	"soap":                {0.003, func(lr float64) Optimizer { return SOAP(lr) }},
	"psgd-kron":           {0.0003, func(lr float64) Optimizer { return PSGDKron(lr) }},
	"mechanic-sgdm":       {0.01, func(lr float64) Optimizer { return Mechanic(SGDm(lr)) }},
	"mechanic-adamw":      {0.001, func(lr float64) Optimizer { return Mechanic(AdamW(lr)) }},

	precond.Name:      {0.1, func(lr float64) Optimizer { return Precond(lr) }},
	precond.PlainName: {0.1, func(lr float64) Optimizer { return PrecondPlain(lr) }},

	"kfac":    {0.01, func(lr float64) Optimizer { return KFAC(lr) }},
	"ekfac":   {0.01, func(lr float64) Optimizer { return EKFAC(lr) }},
	"singd":   {0.001, func(lr float64) Optimizer { return SINGD(lr) }},
	"shampoo": {0.01, func(lr float64) Optimizer { return Shampoo(lr) }},
}}

// formerNames are names of versions 0.1 and 0.2 of what are settings now, which
// checkpoints and commands may still have.
var formerNames = map[string]known{
	"precond-above": relative, "precond-relative": relative,
	"precond-trust": trustRegion, "precond-trust-region": trustRegion,
}

var (
	relative    = known{0, func(lr float64) Optimizer { return precond.Relative(lr) }}
	trustRegion = known{0, func(lr float64) Optimizer { return precond.TrustRegion(lr) }}
)

// currentName is the name now of the optimizer that a checkpoint has. The plain form
// of APO-Precond was "precond" in versions 0.1 and 0.2; its settings tell it.
func currentName(name string, settings json.RawMessage) string {
	if former, ok := formerNames[name]; ok {
		return former.make(1).Name()
	}
	if name == "precond" && bytes.Contains(settings, []byte(`"momentum_mode"`)) {
		return precond.PlainName
	}
	return name
}

// RegisterOptimizer adds an optimizer to those that NewOptimizer makes.
// rate is its DefaultRate; make returns a pointer to its configuration with the usual
// hyperparameters, whose Name is name. A name that is taken is an error.
func RegisterOptimizer(name string, rate float64, make func(lr float64) Optimizer) error {
	if make == nil {
		return errors.Errorf("trainers: optimizer %q: no function that makes it", name)
	}
	o := make(1)
	if graph.IsNil(o) || name == "" || o.Name() != name {
		return errors.Errorf("trainers: optimizer %q: what is made has not that name", name)
	}
	optimizers.Lock()
	defer optimizers.Unlock()
	_, taken := optimizers.byName[name]
	if _, former := formerNames[name]; taken || former {
		return errors.Errorf("trainers: there is an optimizer %q already", name)
	}
	optimizers.byName[name] = known{rate, make}
	return nil
}

// DefaultRate is the learning rate to start the optimizer of that name with where
// nothing is known of the problem; 0 stands for the optimizer's own choice. An
// unknown name is an error.
func DefaultRate(name string) (float64, error) {
	o, err := optimizerNamed(name)
	return o.rate, err
}

func optimizerNamed(name string) (known, error) {
	optimizers.RLock()
	o, ok := optimizers.byName[name]
	optimizers.RUnlock()
	if !ok {
		o, ok = formerNames[name]
	}
	if !ok {
		return known{}, errors.Errorf("trainers: unknown optimizer %q: one of %s", name, strings.Join(OptimizerNames(), ", "))
	}
	return o, nil
}

// OptimizerNames lists the names that NewOptimizer takes, in order.
func OptimizerNames() []string {
	optimizers.RLock()
	defer optimizers.RUnlock()
	return slices.Sorted(maps.Keys(optimizers.byName))
}

// NewOptimizer makes the optimizer of that name with its usual hyperparameters
// and the learning rate lr. settings, which may be nil, is a JSON object that
// overrides fields, such as {"beta2": 0.98}; unknown fields are errors. Names of
// former versions still work: precond-relative and precond-above for precond.Relative,
// precond-trust-region and precond-trust for precond.TrustRegion.
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
