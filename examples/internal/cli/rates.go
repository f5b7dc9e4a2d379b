package cli

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/trainers"
)

// InitialRate is the learning rate that the optimizer starts with where -lr is
// not given: the program's own, or else the library's.
func InitialRate(optimizer string, own map[string]float64) (float64, error) {
	if rate, ok := own[optimizer]; ok {
		return rate, nil
	}
	return trainers.DefaultRate(optimizer)
}

// RatesHelp lists the optimizers with the rates of InitialRate, for the help of
// -lr.
func RatesHelp(own map[string]float64) string {
	var all []string
	for _, name := range trainers.OptimizerNames() {
		rate, err := InitialRate(name, own)
		switch {
		case err != nil: // of a name that the library itself lists
			continue
		case rate == 0:
			all = append(all, name+" 1/λ_WSD, too large on purpose")
		default:
			all = append(all, fmt.Sprintf("%s %v", name, rate))
		}
	}
	return strings.Join(all, ", ")
}

// OptimizerFlags names the flags that an error about an optimizer may come from.
func OptimizerFlags(flag string, rate, settings bool) string {
	flags := "-" + flag
	if rate {
		flags += ", -lr"
	}
	if settings {
		flags += ", -settings"
	}
	return flags
}
