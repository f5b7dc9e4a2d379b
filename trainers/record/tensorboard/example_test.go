package tensorboard_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/record/tensorboard"
)

// A run of three steps that is stopped and goes on: TensorBoard shows its two files as one
// curve, of four steps.
func ExampleOpen() {
	runs, err := os.MkdirTemp("", "runs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(runs)
	steps := 0
	for _, end := range []int{3, 4} {
		log, err := tensorboard.Open(filepath.Join(runs, "first"), steps)
		if err != nil {
			fmt.Println(err)
			return
		}
		for ; steps < end; steps++ {
			if err := log.Record(record.Stats{Step: steps, Loss: 1 / float64(steps+1), Rates: []float64{0.1}}); err != nil {
				fmt.Println(err)
			}
		}
		if err := log.Scalar("test/accuracy", steps-1, 0.9); err != nil {
			fmt.Println(err)
		}
		if err := log.Close(); err != nil {
			fmt.Println(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(runs, "first", "events.out.tfevents.*"))
	fmt.Println(len(files), "files", err)
	// Output: 2 files <nil>
}
