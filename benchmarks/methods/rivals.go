package methods

import (
	"encoding/json"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
)

// rivals are the second-order methods that APO-Precond is compared with. All
// hyperparameters but the learning rate are settings of the optimizer by the
// same names.
var rivals = []*Method{
	named("shampoo", "Shampoo", "shampoo", 3),
	rarely("inverse_every", named("kfac", "KFAC", "kfac", 1.8)),
	rarely("basis_every", named("ekfac", "EKFAC", "ekfac", 2.5)),
}

// decodedSettings are the settings that are no plain numbers: whole numbers, flags
// that are 0 or 1 in a space, and names by their number.
var decodedSettings = map[string]func(v float64) any{
	"basis_every":   func(v float64) any { return int(v) },
	"scale_every":   func(v float64) any { return int(v) },
	"factor_every":  func(v float64) any { return int(v) },
	"inverse_every": func(v float64) any { return int(v) },
	"root_every":    func(v float64) any { return int(v) },
	"block_size":    func(v float64) any { return int(v) },
	"empirical":     func(v float64) any { return v != 0 },
	"grafting":      func(v float64) any { return graftings[int(v)] },
}

// graftings are Shampoo's by their number in its space.
var graftings = []string{"none", "sgd", "rmsprop", "adam"}

// rarely names a method's rare work.
func rarely(period string, m *Method) *Method {
	m.Rare = period
	return m
}

// named is an optimizer of trainers' registry.
func named(name, label, space string, cost float64) *Method {
	return &Method{
		Name: name, Label: label, Space: space, Cost: cost, Needs: name,
		Build: func(v Values, run Run) (trainers.Optimizer, []trainers.Option, error) {
			settings := map[string]any{"weight_decay": run.L2}
			for key, value := range v {
				switch decode := decodedSettings[key]; {
				case key == "lr":
				case decode != nil:
					settings[key] = decode(value)
				default:
					settings[key] = value
				}
			}
			text, err := json.Marshal(settings)
			if err != nil {
				return nil, nil, errors.Wrapf(err, "settings of %s", name)
			}
			o, err := trainers.NewOptimizer(name, v["lr"], text)
			return o, []trainers.Option{trainers.EveryK(0)}, err
		},
	}
}
