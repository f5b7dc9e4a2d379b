package methods

import (
	"encoding/json"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
)

// secondOrder are the second-order baselines of APO-Precond. Each hyperparameter
// but the learning rate is the optimizer's setting of the same name.
var secondOrder = []*Method{
	registered("shampoo", "Shampoo", "shampoo"),
	withRare("inverse_every", registered("kfac", "KFAC", "kfac")),
	withRare("basis_every", registered("ekfac", "EKFAC", "ekfac")),
}

// decodedSettings decode the settings that are not float64: integers, flags (0 or 1
// in a space), and names (their index in a space).
var decodedSettings = map[string]func(v float64) any{
	"basis_every":      func(v float64) any { return int(v) },
	"scale_every":      func(v float64) any { return int(v) },
	"factor_every":     func(v float64) any { return int(v) },
	"inverse_every":    func(v float64) any { return int(v) },
	"root_every":       func(v float64) any { return int(v) },
	"block_size":       func(v float64) any { return int(v) },
	"rank":             func(v float64) any { return int(v) },
	"frequent":         func(v float64) any { return int(v) },
	"warm_up":          func(v float64) any { return int(v) },
	"empirical":        flag,
	"normalize":        flag,
	"bias_correction":  flag,
	"safeguard_warmup": flag,
	"grafting":         func(v float64) any { return graftings[int(v)] },
}

func flag(v float64) any { return v != 0 }

// graftings are Shampoo's graftings by their index in its space.
var graftings = []string{"none", "sgd", "rmsprop", "adam"}

// withRare sets the hyperparameter that is the period of a method's rare work.
func withRare(period string, m *Method) *Method {
	m.Rare = period
	return m
}

// registered is an optimizer of the registry of package trainers.
func registered(name, label, space string) *Method {
	return &Method{
		Name: name, Label: label, Space: space, Needs: name,
		Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
			settings := map[string]any{"weight_decay": run.L2}
			for key, value := range v {
				if key != "lr" {
					settings[key] = decoded(key, value)
				}
			}
			o, err := newOptimizer(name, v["lr"], settings)
			return o, []trainers.Option{trainers.EveryK(0)}, err
		},
	}
}

// decoded is a hyperparameter as the settings of an optimizer have it.
func decoded(name string, value float64) any {
	if decode := decodedSettings[name]; decode != nil {
		return decode(value)
	}
	return value
}

// newOptimizer makes an optimizer of the registry of package trainers.
func newOptimizer(name string, lr float64, settings map[string]any) (trainers.Optimizer, error) {
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, errors.Wrapf(err, "settings of %s", name)
	}
	return trainers.NewOptimizer(name, lr, text)
}
