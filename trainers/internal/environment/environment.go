package environment

import (
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
)

const oneDNN = "oneDNN"

// Of is that of this process, by name: the libraries, Go and the processor. A checkpoint
// keeps it.
func Of() map[string]string {
	m := map[string]string{"BLAS": blas.Describe(), "Go": runtime.Version() + " " + runtime.GOARCH}
	if dnn.Wanted() { // opening it takes time and memory
		m[oneDNN] = dnn.Describe()
	}
	return m
}

// Notes name the differences from the environment of a checkpoint. There are none for a
// checkpoint that names no environment.
func Notes(stored map[string]string) []string {
	var all []string
	now := Of()
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
