package par

import (
	"runtime"
	"sync"
)

// raised is what Reserve has added to GOMAXPROCS, and the GOMAXPROCS that this made.
var raised struct {
	sync.Mutex
	by, to int
}

// Cores is the number of cores that loops run on: GOMAXPROCS without what is reserved.
func Cores() int {
	raised.Lock()
	defer raised.Unlock()
	return cores()
}

func cores() int {
	n := runtime.GOMAXPROCS(0)
	if n == raised.to {
		n -= raised.by
	}
	return n
}

// Reserve raises GOMAXPROCS by one for a thread that mostly sleeps. Loops use as many cores
// as before. Without it a thread that wakes up while all others run loops would wait until
// the runtime preempts one of them, 10 ms. A GOMAXPROCS that is set later has no reserve.
func Reserve() {
	raised.Lock()
	defer raised.Unlock()
	if runtime.GOMAXPROCS(0) != raised.to {
		raised.by = 0
	}
	raised.by++
	raised.to = runtime.GOMAXPROCS(0) + 1
	runtime.GOMAXPROCS(raised.to)
}

var foreign sync.Once

// Foreign reserves once, for packages whose loops call a library that is not written in
// Go. A call that takes longer than 20 µs would lose its place among the GOMAXPROCS running
// threads if none of them were idle, and the runtime would start a further thread to take
// it: that thread finds no work, but interrupts those that have some.
func Foreign() { foreign.Do(Reserve) }
