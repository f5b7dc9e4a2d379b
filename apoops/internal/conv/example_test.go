package conv_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/internal/conv"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// A kernel of 2×2 ones and the bias -13, followed by a ReLU.
func ExampleNew() {
	g := conv.Geometry{Kernel: [2]int{2, 2}, Activation: vmath.ReLU}
	e := conv.New[float64](g, []int{1, 1, 2, 3}, 1)
	x := []float64{1, 2, 3, 4, 5, 6}
	w := []float64{1, 1, 1, 1, -13}
	y := make([]float64, 2)
	if err := e.Forward(x, w, y); err != nil {
		fmt.Println(err)
		return
	}
	dw := make([]float64, 5)
	if err := e.GradW(x, []float64{1, 1}, y, dw); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(y, dw)
	// Output: [0 3] [2 3 5 6 1]
}
