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

// Sums of rows of 1000 elements, four rows a piece of work.
func ExampleRowGrain() {
	const cols = 1000
	x, sums := make([]float64, 10*cols), make([]float64, 10)
	for i := range x {
		x[i] = 1
	}
	par.For(len(sums), par.RowGrain(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			for _, v := range x[r*cols : (r+1)*cols] {
				sums[r] += v
			}
		}
	})
	fmt.Println(par.RowGrain(cols), sums[0], sums[9], par.Cores() >= 1)
	// Output: 4 1000 1000 true
}
