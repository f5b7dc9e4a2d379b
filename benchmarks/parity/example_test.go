package parity_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/apo-gorgonia/apo/benchmarks/parity"
)

// A reference run passes if every number of the replay agrees with it.
func ExampleReplay() {
	data, err := os.ReadFile(filepath.Join("testdata", "linear-sgd.json"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fixture, err := parity.Decode(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := parity.Replay(fixture)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(fixture.Steps), "steps, passed:", result.Passed())
	// Output: 5 steps, passed: true
}
