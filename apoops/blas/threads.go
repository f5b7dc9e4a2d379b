package blas

import (
	"runtime"

	"github.com/ebitengine/purego"

	"github.com/apo-gorgonia/apo/apoops/internal/openmp"
)

// controls are the functions that set and report a library's number of threads.
var controls = []struct{ set, get string }{
	{"openblas_set_num_threads", "openblas_get_num_threads"},
	{"MKL_Set_Num_Threads", "MKL_Get_Max_Threads"},
	{"bli_thread_set_num_threads", "bli_thread_get_num_threads"},
}

// openblasOpenMP is what openblas_get_parallel says of a build with OpenMP.
const openblasOpenMP = 2

// single limits the library to one core per call and reports whether that works.
// If the library uses OpenMP, each call needs a guard with threads.
func single(lib uintptr) (ok bool, threads openmp.Threads) {
	reproducible(lib)
	for _, c := range controls {
		set, err := symbol(lib, c.set)
		if err != nil {
			continue
		}
		purego.SyscallN(set, 1)
		if parallel, err := symbol(lib, "openblas_get_parallel"); err == nil {
			if kind, _, _ := purego.SyscallN(parallel); int32(kind) == openblasOpenMP {
				threads.Get, _ = symbol(lib, "omp_get_max_threads")
				threads.Set, _ = symbol(lib, "omp_set_num_threads")
				return threads.Get != 0 && threads.Set != 0, threads
			}
		}
		get, err := symbol(lib, c.get)
		return err == nil && elsewhere(get) == 1, threads
	}
	return false, threads
}

// elsewhere calls a function on another OS thread: libraries may count threads
// for each.
func elsewhere(fn uintptr) int32 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	result := make(chan int32)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		n, _, _ := purego.SyscallN(fn)
		result <- int32(n)
	}()
	return <-result
}

// reproducible makes MKL's results independent of where in memory operands begin.
// It has to be the first call.
func reproducible(lib uintptr) {
	const auto = 2 // MKL_CBWR_AUTO
	if set, err := symbol(lib, "MKL_CBWR_Set"); err == nil {
		purego.SyscallN(set, auto)
	}
}
