package selftune_test

import (
	"fmt"
	"math"

	"github.com/apo-gorgonia/apo/benchmarks/selftune"
)

// Two methods on two workloads: the first is twice as fast on one and misses the target of
// the other.
func ExampleArea() {
	times := [][]float64{{100, math.Inf(1)}, {200, 50}}
	for _, ratios := range selftune.Ratios(times) {
		fmt.Printf("%v within twice the fastest: %.1f, area %.3f\n", ratios, selftune.Profile(ratios, 2), selftune.Area(ratios, 4))
	}
	// Output:
	// [1 +Inf] within twice the fastest: 0.5, area 0.500
	// [2 1] within twice the fastest: 1.0, area 0.833
}

// Six differences of one sign.
func ExampleSignedRank() {
	_, _, p, n := selftune.SignedRank([]float64{-3, -1, -4, -1, -5, -9})
	fmt.Printf("p = %.5f from %d differences\n", p, n)
	// Output: p = 0.03125 from 6 differences
}
