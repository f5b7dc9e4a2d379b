package form_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph/form"
)

// P starts as a multiple of the identity. A change of B, the factor of the rows,
// changes how the rows of the gradient are mixed.
func Example() {
	f, err := form.ByName("kronecker")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, factor := range f.Factors(2, 3) {
		fmt.Println(factor.Name, factor.Shape)
	}
	p, err := form.Start(f, form.Setup{Rows: 2, Cols: 3, Dtype: tensor.Float64, Rate: 0.25})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, 2, 3, 4, 5, 6}))
	u := tensor.New(tensor.WithShape(2, 3), tensor.Of(tensor.Float64))
	p.Multiply(u, g)
	fmt.Println(u.Float64s())

	p.Factors()[1].Float64s()[0] = 2 // B = diag(2, 1)
	p.Multiply(u, g)
	fmt.Println(u.Float64s())
	// Output:
	// A (3, 3)
	// B (2, 2)
	// S (2, 3)
	// [0.25 0.5 0.75 1 1.25 1.5]
	// [1 2 3 1 1.25 1.5]
}

// A form is chosen by its name.
func ExampleByName() {
	fmt.Println(form.Names())
	_, err := form.ByName("sparse")
	fmt.Println(err != nil)
	// Output:
	// [kronecker diagonal scalar full low-rank]
	// true
}
