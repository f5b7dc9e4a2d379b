package blas_test

import (
	"fmt"
	"log"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

func ExampleGemm() {
	a := []float64{1, 2, 3, 4} // 2×2
	b := []float64{1, 0, 1}    // 1×3
	c := make([]float64, 2*3)
	blas.Gemm(false, false, 2, 3, 1, 1, a, 2, b, 3, 0, c, 3) // the first column of a times b
	fmt.Println(c)
	// Output: [1 0 1 3 0 3]
}

func ExampleEigen() {
	a, w := []float64{2, 1, 1, 2}, make([]float64, 2)
	if err := blas.Eigen(2, a, w); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f\n", w)
	// Output: [1.0 3.0]
}
