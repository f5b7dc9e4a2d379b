package precision_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

func ExampleNew() {
	p, err := precision.New(apoops.Float16, 1, precision.DynamicScale(1024))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.LossScale())
	p.Skip() // a gradient was not finite
	fmt.Println(p.LossScale(), p.Skipped())
	// Output:
	// 1024
	// 512 1
}
