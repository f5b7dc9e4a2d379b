package arraytest_test

import (
	"fmt"
	"math"

	"github.com/apo-gorgonia/apo/trainers/internal/arraytest"
)

func ExampleFirstDifference() {
	x, y := []float32{1, 2, 0}, []float32{1, 2, float32(math.Copysign(0, -1))}
	fmt.Println(arraytest.FirstDifference(x, x), arraytest.FirstDifference(x, y))
	// Output: -1 2
}
