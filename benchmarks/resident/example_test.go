package resident_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/benchmarks/resident"
)

// Both are 0 where the system does not tell.
func ExamplePeak() {
	fmt.Println(resident.Peak() >= resident.Now()/2)
	// Output: true
}
