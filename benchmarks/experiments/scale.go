package experiments

import "github.com/pkg/errors"

// Scale says how much of the paper's setting a run has.
type Scale string

// The scales.
const (
	Smoke Scale = "smoke" // does it run at all: seconds
	Small Scale = "small" // narrower nets and fewer steps: minutes on two cores
	Paper Scale = "paper" // the paper's setting to the letter
)

// Scales are all scales from the smallest.
var Scales = []Scale{Smoke, Small, Paper}

// ParseScale returns the scale of that name.
func ParseScale(name string) (Scale, error) {
	for _, s := range Scales {
		if string(s) == name {
			return s, nil
		}
	}
	return "", errors.Errorf("-scale %q: one of smoke, small and paper is needed", name)
}
