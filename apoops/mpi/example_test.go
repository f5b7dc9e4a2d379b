package mpi_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/mpi"
)

// A program that is started by itself is the only member.
func ExampleStart() {
	comm, err := mpi.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer comm.Close()
	fmt.Println(comm.Rank(), "of", comm.Size())
	// Output: 0 of 1
}
