package trainers

import (
	"fmt"
	"maps"
	"slices"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// environment is what the last bits of a run may depend on beside its settings,
// by name. A checkpoint keeps it. Another environment is no error: Load leaves a
// note (Trainer.Notes).
func environment() map[string]string {
	name, err := blas.Use()
	if err != nil {
		return nil // New and Wrap refuse it
	}
	return map[string]string{"BLAS": name}
}

// environmentNotes tell what differs from the environment of a checkpoint; none
// for a checkpoint that names no environment.
func environmentNotes(stored map[string]string) []string {
	var all []string
	now := environment()
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		if stored[name] != now[name] {
			all = append(all, fmt.Sprintf("checkpoint: written with %s %s, this process has %s: the last bits may differ", name, stored[name], now[name]))
		}
	}
	return all
}
