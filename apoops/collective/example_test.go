package collective_test

import (
	"fmt"
	"sync"

	"github.com/apo-gorgonia/apo/apoops/collective"
)

func ExampleLocal() {
	var wg sync.WaitGroup
	for _, comm := range collective.Local(3) {
		wg.Go(func() {
			x := []float64{float64(comm.Rank()), 1}
			if err := collective.Sum(comm, x); err == nil && comm.Rank() == 0 {
				fmt.Println(x)
			}
		})
	}
	wg.Wait()
	// Output: [3 3]
}
