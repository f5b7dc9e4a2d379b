package convtest_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/internal/conv/convtest"
)

// A 2×2 kernel of ones sums the elements of each patch.
func ExampleCase_Direct() {
	c := convtest.Even("sums", []int{1, 1, 2, 3}, 1, 2, 1, 0, 1)
	y := c.Direct([]float64{1, 2, 3, 4, 5, 6}, []float64{1, 1, 1, 1}, false, func(z float64) float64 { return z })
	fmt.Println(y)
	// Output: [12 16]
}
