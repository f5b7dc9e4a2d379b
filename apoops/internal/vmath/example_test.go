package vmath_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// The softmax of large logits, without overflow.
func ExampleExpRow() {
	var buf vmath.Block
	z := []float32{1000, 1000, -1000}
	p := make([]float32, len(z))
	sum := vmath.ExpRow(&buf, p, z, vmath.RowMax(z))
	for i := range p {
		p[i] /= float32(sum)
	}
	fmt.Println(p)
	// Output: [0.5 0.5 0]
}
