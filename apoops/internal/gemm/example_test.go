package gemm_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/internal/gemm"
)

func ExampleMultiply() {
	a := []float32{1, 2, 3, 4} // 2×2
	b := []float32{1, 0, 1}    // 3×1, transposed 1×3
	c := make([]float32, 2*3)
	gemm.Multiply(true, true, 2, 3, 1, 1, a, 2, b, 1, 0, c, 3) // the first row of a, times b
	fmt.Println(c)
	// Output: [1 0 1 2 0 2]
}
