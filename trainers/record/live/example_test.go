package live_test

import (
	"fmt"
	"os"

	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/record/live"
)

// Where the output is no terminal there is a line for each twentieth of the run.
func ExampleNew() {
	view := live.New(os.Stdout, live.Config{Title: "mnist", Steps: 2})
	if err := view.Record(record.Stats{Step: 0, Loss: 2.303, Rates: []float64{0.1}}); err != nil {
		fmt.Println(err)
	}
	if err := view.Close(); err != nil {
		fmt.Println(err)
	}
	// Output: mnist: step 1 of 2, 50%, loss 2.303, rate 0.1
}
