package trainers

import (
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
)

const oneDNN = "oneDNN"

// environment is what the last bits of a run may depend on beside its settings,
// by name. A checkpoint keeps it. Another environment is no error: Load leaves a
// note (Trainer.Notes).
func environment() map[string]string {
	m := map[string]string{"BLAS": blas.Describe(), "Go": runtime.Version() + " " + runtime.GOARCH}
	if dnn.Wanted() { // opening it takes time and memory
		m[oneDNN] = dnn.Describe()
	}
	return m
}

// environmentNotes name the differences from the environment of a checkpoint. There
// are none for a checkpoint that names no environment.
func environmentNotes(stored map[string]string) []string {
	var all []string
	now := environment()
	if stored[oneDNN] != "" {
		now[oneDNN] = dnn.Describe() // the run will use it
	}
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		if stored[name] != now[name] {
			all = append(all, fmt.Sprintf("checkpoint: written with %s %s, this process has %s: the last bits may differ", name, stored[name], now[name]))
		}
	}
	return all
}
