package cli

import (
	"fmt"
	"strings"

	"github.com/apo-gorgonia/apo/trainers"
)

// RatesHelp lists the optimizers with the library's default rates, for the help of
// -lr.
func RatesHelp() string {
	var all []string
	for _, name := range trainers.OptimizerNames() {
		rate, err := trainers.DefaultRate(name)
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
