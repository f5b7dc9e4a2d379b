package blas_test

import (
	"fmt"
	"log"
	"os"
	"os/exec"

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

// The inverse of a symmetric positive definite matrix, in place.
func ExampleInverse() {
	a := []float64{2, 1, 1, 1}
	if err := blas.Inverse(2, a); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", a)
	fmt.Println(blas.Inverse(2, []float64{1, 2, 2, 1}))
	// Output:
	// [1.000 -1.000 -1.000 2.000]
	// blas: the matrix to invert is not positive definite
}

// AᵀA of a matrix 2×2, whose product with itself is symmetric.
func ExampleSyrk() {
	a, c := []float64{1, 2, 3, 4}, make([]float64, 4)
	blas.Syrk(true, 2, 2, 1, a, 2, 0, c, 2)
	fmt.Println(c)
	blas.SerialGemm(true, false, 2, 2, 2, 1, a, 2, a, 2, 0, c, 2) // on this goroutine
	fmt.Println(c)
	// Output:
	// [10 14 14 20]
	// [10 14 14 20]
}

// Vectors: y + 2x, x/2, and the product of both.
func ExampleAxpy() {
	x, y := []float64{1, 2}, []float64{10, 10}
	blas.Axpy(2, x, y)
	fmt.Println(y)
	blas.Scal(0.5, x)
	fmt.Println(x, blas.Dot(x, y))
	// Output:
	// [12 14]
	// [0.5 1] 20
}

// Which library computes, and what the last bits of its results depend on.
// A step of Adam without bias correction.
func ExampleDivideByRoots() {
	g := []float64{1, -2}
	m, v, d := make([]float64, 2), make([]float64, 2), make([]float64, 2)
	blas.Combine(m, m, g, 0.5, 0.5)
	blas.AverageSquares(v, g, 0.75, 0.25)
	blas.DivideByRoots(d, m, v, 1, 2, 1e-8)
	fmt.Printf("m %v, v %v, d %.3v\n", m, v, d)
	// Output:
	// m [0.5 -1], v [0.25 1], d [0.5 -0.5]
}

func ExampleUse() {
	name, err := blas.Use()
	if err != nil {
		log.Fatal(err) // APO_BLAS names one that cannot be opened
	}
	fmt.Println(name)
	fmt.Println(blas.Describe())
}

// epsilon is the distance from 1 to the next number.
func epsilon[T blas.Float]() float64 { return blas.Pick[T](0x1p-23, 0x1p-52) }

// A value for each element type.
func ExamplePick() {
	fmt.Printf("%.2g %.2g\n", epsilon[float32](), epsilon[float64]())
	// Output: 1.2e-07 2.2e-16
}

// A program beside this one, whose OpenBLAS is to work for the same kind of processor.
func ExampleEnvironment() {
	cmd := exec.Command("python3", "train.py")
	cmd.Env = append(os.Environ(), blas.Environment()...)
	fmt.Println(cmd.Args)
	// Output: [python3 train.py]
}
