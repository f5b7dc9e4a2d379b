package stopping_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/trainers/stopping"
)

// The loss on validation data falls and then rises: the training ends, and the weights of the
// third epoch are kept.
func ExampleBest() {
	best := stopping.Lowest(2)
	for epoch, loss := range []float64{0.9, 0.5, 0.4, 0.45, 0.5, 0.3} {
		if best.See(loss) {
			fmt.Println("keep the weights of epoch", epoch+1)
		}
		if best.Stop() {
			fmt.Println("stop after epoch", epoch+1)
			break
		}
	}
	// Output:
	// keep the weights of epoch 1
	// keep the weights of epoch 2
	// keep the weights of epoch 3
	// stop after epoch 5
}

// For an accuracy higher is better.
func ExampleHighest() {
	best := stopping.Highest(1)
	for _, accuracy := range []float64{0.8, 0.9, 0.85} {
		fmt.Println(best.See(accuracy), best.Stop())
	}
	// Output:
	// true false
	// true false
	// false true
}
