package parity_test

import (
	"fmt"
	"log"
	"os"

	"github.com/apo-gorgonia/apo/benchmarks/parity"
)

func ExampleReplay() {
	text, err := os.ReadFile("testdata/linear-sgd.json")
	if err != nil {
		log.Fatal(err)
	}
	fixture, err := parity.Decode(text)
	if err != nil {
		log.Fatal(err)
	}
	result, err := parity.Replay(fixture)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(fixture.Steps) > 0, result.Passed())
	// Output: true true
}
