package parallel_test

import (
	"fmt"
	"sync"

	"github.com/apo-gorgonia/apo/trainers/parallel"
)

func ExampleLocal() {
	var wg sync.WaitGroup
	for _, comm := range parallel.Local(3) {
		wg.Go(func() {
			x := []float64{float64(comm.Rank()), 1}
			if err := parallel.Sum(comm, x); err == nil && comm.Rank() == 0 {
				fmt.Println(x)
			}
		})
	}
	wg.Wait()
	// Output: [3 3]
}
