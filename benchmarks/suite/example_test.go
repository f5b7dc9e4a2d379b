package suite_test

import (
	"fmt"
	"path/filepath"

	"github.com/apo-gorgonia/apo/benchmarks/suite"
)

// A stored run has its settings, its evaluations and its end.
func ExampleReadRun() {
	run, err := suite.ReadRun(filepath.Join("..", "testdata", "records", "fig4-illcond-6", "smoke", "adam-seed1.jsonl"))
	if err != nil {
		fmt.Println(err)
		return
	}
	first := run.Evaluations[0]
	fmt.Printf("%s, learning rate %g, %d steps\n", run.Header.Label, run.Header.Values["lr"], run.Done.Steps)
	fmt.Printf("training loss from %.3g to %.3g\n", float64(first.TrainLoss), run.FinalLoss())
	// Output:
	// Adam, learning rate 0.00544, 200 steps
	// training loss from 4.9 to 0.00184
}

// The median of an even number of values is the mean of the two in the middle.
func ExampleMedian() {
	fmt.Println(suite.Median([]float64{4, 1, 3, 2}))
	// Output: 2.5
}

func ExampleEnvironment_Processor() {
	for _, cores := range []int{1, 2} {
		fmt.Println(suite.Environment{CPU: "AMD EPYC", Cores: cores}.Processor())
	}
	// Output:
	// AMD EPYC, 1 core
	// AMD EPYC, 2 cores
}
