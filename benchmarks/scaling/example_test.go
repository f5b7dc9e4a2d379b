package scaling_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/benchmarks/scaling"
)

// A step of 1 ms and 0.1 ms for each example, with 4 MiB of gradients.
func ExampleWork_Predict() {
	w := scaling.Work{Fixed: 1e-3, Each: 1e-4, Sums: map[int]scaling.Load{512: {Bytes: 4 << 20}}}
	network := scaling.Network{Latency: 30e-6, Bandwidth: 1.25e9}
	for _, n := range []int{1, 2, 16} {
		fmt.Printf("%2d: %.1f ms\n", n, 1e3*w.Predict(512, n, network).Total())
	}
	// Output:
	//  1: 52.2 ms
	//  2: 30.2 ms
	// 16: 14.1 ms
}
