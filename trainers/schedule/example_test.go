package schedule_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/trainers/schedule"
)

func ExampleWarmUp() {
	s := schedule.WarmUp(4, schedule.Cosine(12, 0))
	fmt.Println(s)
	for _, step := range []int{0, 1, 2, 3, 4, 6, 8, 12} {
		fmt.Printf("%2d  %.2f\n", step, s.At(step))
	}
	// Output:
	// WarmUp(4, Cosine(12, 0))
	//  0  0.25
	//  1  0.50
	//  2  0.75
	//  3  1.00
	//  4  0.75
	//  6  0.50
	//  8  0.25
	// 12  0.00
}

func ExampleSchedule_Err() {
	fmt.Println(schedule.Cosine(0, 0.1).Err())
	// Output:
	// trainers: schedule Cosine: total of 0 steps is below 1
}

// Each is a factor on the learning rate, as a function of the step.
func ExampleStepDecay() {
	for _, s := range []schedule.Schedule{schedule.Constant(), schedule.StepDecay(0.1, 4, 8), schedule.InverseSqrt(4)} {
		for _, step := range []int{0, 2, 4, 8, 16} {
			fmt.Printf("%.2f ", s.At(step))
		}
		fmt.Println(s)
	}
	// Output:
	// 1.00 1.00 1.00 1.00 1.00 Constant()
	// 1.00 1.00 0.10 0.01 0.01 StepDecay(0.1, [4 8])
	// 0.25 0.75 0.89 0.67 0.49 InverseSqrt(4)
}

// Warm-up, a constant rate, and a linear decay to 0 at the end.
func ExamplePiecewise() {
	s := schedule.Piecewise(schedule.Point{Step: 0, Factor: 0.1}, schedule.Point{Step: 3, Factor: 1}, schedule.Point{Step: 8, Factor: 1}, schedule.Point{Step: 10, Factor: 0})
	fmt.Println(s)
	for _, step := range []int{0, 1, 3, 7, 9, 10} {
		fmt.Printf("%2d  %.2f\n", step, s.At(step))
	}
	// Output:
	// Piecewise({0, 0.1}, {3, 1}, {8, 1}, {10, 0})
	//  0  0.10
	//  1  0.40
	//  3  1.00
	//  7  1.00
	//  9  0.50
	// 10  0.00
}
