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
