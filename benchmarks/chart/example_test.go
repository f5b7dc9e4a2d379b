package chart_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// The first values count fully, later ones are smoothed.
func ExampleSmooth() {
	fmt.Printf("%.2f\n", chart.Smooth([]float64{1, 2, 3, 4}, 2))
	// Output: [1.00 1.67 2.43 3.27]
}
