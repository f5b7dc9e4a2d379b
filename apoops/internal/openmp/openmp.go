package openmp

import (
	"runtime"

	"github.com/ebitengine/purego"
)

// Threads are the addresses of omp_get_max_threads and omp_set_num_threads in the
// library's OpenMP; zeros where it uses none.
type Threads struct{ Get, Set uintptr }

// Guard keeps one call after another single-threaded, for one goroutine at a time.
// It must be on the heap, or its calls allocate.
type Guard struct {
	before uintptr // the OS thread's own number of threads
	args   [1]uintptr
}

// Enter makes the calls of the running goroutine single-threaded until Leave.
// OpenMP counts threads for each OS thread, so the goroutine stays on its own.
func (g *Guard) Enter(t Threads) {
	if t.Set == 0 {
		return
	}
	runtime.LockOSThread()
	g.before, _, _ = purego.SyscallN(t.Get)
	g.args[0] = 1
	purego.SyscallN(t.Set, g.args[:]...)
}

// Leave ends what Enter began.
func (g *Guard) Leave(t Threads) {
	if t.Set == 0 {
		return
	}
	g.args[0] = g.before
	purego.SyscallN(t.Set, g.args[:]...)
	runtime.UnlockOSThread()
}
