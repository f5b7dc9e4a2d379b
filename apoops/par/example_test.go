package par_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/par"
)

func ExampleFor() {
	w, g := []float64{1, 2, 3}, []float64{10, 20, 30}
	par.For(len(w), par.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			w[i] -= 0.1 * g[i]
		}
	})
	fmt.Println(w)
	// Output: [0 0 0]
}
