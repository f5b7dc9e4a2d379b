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

// Weights that are rounded to the nearest number, or at random, or kept in float32.
func ExampleMasterWeights() {
	for _, rounding := range []precision.Setting{precision.Nearest(), precision.Stochastic(), precision.MasterWeights()} {
		p, err := precision.New(apoops.BFloat16, 1, rounding)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p.MasterWeights, p.Stochastic)
	}
	// Output:
	// false false
	// false true
	// true false
}

// A factor on the loss that stays, and one that is adapted to the gradients.
func ExampleWithScale() {
	for _, scale := range []precision.Setting{
		precision.StaticScale(1024),
		precision.WithScale(precision.LossScale{Start: 1024, Dynamic: true, Every: 2}),
	} {
		p, err := precision.New(apoops.Float16, 1, scale)
		if err != nil {
			fmt.Println(err)
			return
		}
		p.Took()
		p.Took() // two finite gradients
		fmt.Println(p.LossScale())
	}
	// Output:
	// 1024
	// 2048
}

// Second moments in 16 bits, and P of APO-Precond in float32.
func ExampleIn16Bits() {
	p, err := precision.New(apoops.BFloat16, 1, precision.In16Bits(precision.SecondMoments), precision.InFloat32(precision.Phi))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Low(precision.Momentum), p.Low(precision.SecondMoments), p.Low(precision.Phi))
	// Output: true true false
}
