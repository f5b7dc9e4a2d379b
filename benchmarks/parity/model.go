package parity

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// readModel makes the model and its widths, inputs first.
func readModel(o object) (graph.Model, []int) {
	switch kind := o.text("kind"); kind {
	case "mlp":
	case "tiny-conv":
		o.unsupported("model %s", kind)
		return nil, nil
	default:
		o.fail("kind", "is %q: it must be mlp or tiny-conv", kind)
		return nil, nil
	}
	sizes := readSizes(o)
	name := o.text("activation")
	act, err := apoops.ParseActivation(name)
	if err != nil {
		o.fail("activation", "is %q: it must be relu, tanh, sigmoid or identity", name)
	}
	return layers.MLPWith(act, sizes...), sizes
}

func readSizes(o object) []int {
	numbers := o.array("sizes", anyRows)
	sizes := make([]int, len(numbers))
	for i, v := range numbers {
		n, ok := wholeNumber(v)
		if !ok || n == 0 {
			o.fail("sizes", "has %v, not a positive whole number", v)
		}
		sizes[i] = n
	}
	if len(sizes) < 2 {
		o.fail("sizes", "has %d entries: inputs and outputs are the least", len(sizes))
	}
	return sizes
}

// weights lists the matrices of θ.
func weights(sizes []int) []entry {
	all := make([]entry, len(sizes)-1)
	for i := range all {
		all[i] = entry{fmt.Sprintf("l%d", i), []int{sizes[i] + 1, sizes[i+1]}}
	}
	return all
}
