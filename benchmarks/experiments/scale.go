package experiments

import "github.com/pkg/errors"

// Scale is the size of an experiment relative to the paper's.
type Scale string

// The scales.
const (
	Smoke Scale = "smoke" // checks that it runs: seconds
	Small Scale = "small" // narrower nets and fewer steps: minutes on two cores
	Paper Scale = "paper" // the paper's setting
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
