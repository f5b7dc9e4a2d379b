package resident_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/benchmarks/resident"
)

// The peak is not below the current size.
func ExamplePeak() {
	resident.ResetPeak()
	now := resident.Now()
	fmt.Println(resident.Peak() >= now/2) // Linux counts roughly
	// Output: true
}
