package openmp_test

import (
	"fmt"

	"github.com/apo-gorgonia/apo/apoops/internal/openmp"
)

func ExampleGuard() {
	guard := new(openmp.Guard)
	var threads openmp.Threads // of a library without OpenMP
	guard.Enter(threads)
	fmt.Println("the library's work")
	guard.Leave(threads)
	// Output: the library's work
}
