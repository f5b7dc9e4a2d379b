package collective_test

import (
	"errors"
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

// each calls do on three members at once, and returns what the last one returned.
func each(do func(comm collective.Communicator) string) (last string) {
	var wg sync.WaitGroup
	for _, comm := range collective.Local(3) {
		wg.Go(func() {
			if s := do(comm); comm.Rank() == 2 {
				last = s
			}
		})
	}
	wg.Wait()
	return last
}

// All members get the weights of rank 0, and what each of them says.
func ExampleBroadcast() {
	fmt.Println(each(func(comm collective.Communicator) string {
		w := []float64{float64(comm.Rank() + 1)}
		if err := collective.Broadcast(comm, 0, w); err != nil {
			return err.Error()
		}
		all, err := collective.Gather(comm, fmt.Appendf(nil, "rank %d has %v", comm.Rank(), w[0]))
		return fmt.Sprintf("%s, %v", all, err)
	}))
	// Output: [rank 0 has 1 rank 1 has 1 rank 2 has 1], <nil>
}

// Two sums on the way at once, counted.
func ExampleCount() {
	fmt.Println(each(func(comm collective.Communicator) string {
		counted := collective.Count(comm)
		a, b := []float32{1}, []float32{2, 2}
		first, second := collective.StartSum(counted, a), collective.StartSum(counted, b)
		if err := errors.Join(first.Wait(), second.Wait()); err != nil {
			return err.Error()
		}
		c := counted.Counts()
		return fmt.Sprint(a, b, c.Sums, " sums of ", c.SumBytes, " bytes")
	}))
	// Output: [3] [6 6] 2 sums of 12 bytes
}

// Rank 1 was started with other settings.
func ExampleDiffering() {
	fmt.Println(each(func(comm collective.Communicator) string {
		settings := "rate 0.1"
		if comm.Rank() == 1 {
			settings = "rate 0.2"
		}
		ranks, err := collective.Differing(comm, []byte(settings))
		return fmt.Sprint(ranks, err)
	}))
	// Output: [1] <nil>
}

// The error of one member becomes that of all, who can end in order.
func ExampleJoinErrors() {
	fmt.Println(each(func(comm collective.Communicator) string {
		var err error
		if comm.Rank() == 1 {
			err = errors.New("no data")
		}
		err = collective.JoinErrors(comm, err)
		return fmt.Sprint(err, ", shared: ", collective.IsShared(err))
	}))
	// Output: rank 1: no data, shared: true
}

// Rank 0 alone writes, and downloads before the others read what is there.
func ExampleOnFirst() {
	fmt.Println(each(func(comm collective.Communicator) string {
		done := ""
		err := errors.Join(
			collective.OnFirst(comm, func() error { done += "write "; return nil }),
			collective.AfterFirst(comm, func() error { done += "load"; return nil }))
		return fmt.Sprint("rank 2: ", done, " ", err)
	}))
	// Output: rank 2: load <nil>
}
