package simd_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// The same bits with the vectors of this processor and without.
func ExampleSumExp() {
	z := make([]float32, 1000)
	for i := range z {
		z[i] = float32(i) / 100
	}
	sum := simd.SumExp(z, 10)
	before := simd.Set(simd.Off)
	fmt.Println(sum == simd.SumExp(z, 10))
	simd.Set(before)
	// Output: true
}
