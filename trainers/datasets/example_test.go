package datasets_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/trainers/datasets"
	"gorgonia.org/tensor"
)

func ExampleDigits() {
	train, test, err := datasets.Digits(tensor.Float32)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train.X.Shape(), train.T.Shape())
	fmt.Println(test.X.Shape(), test.T.Shape())
	// Output:
	// (1437, 64) (1437)
	// (360, 64) (360)
}
