package par

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestReserve: what is reserved is no core of loops, and a GOMAXPROCS that the program
// sets later is the number of cores.
func TestReserve(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	foreign = sync.Once{} // whatever ran before
	check := func(wantCores, wantProcs int) {
		t.Helper()
		if got := Cores(); got != wantCores {
			t.Errorf("%d cores, want %d", got, wantCores)
		}
		if got := runtime.GOMAXPROCS(0); got != wantProcs {
			t.Errorf("GOMAXPROCS %d, want %d", got, wantProcs)
		}
	}
	check(3, 3)
	Reserve()
	check(3, 4)
	Reserve()
	check(3, 5)
	Foreign()
	Foreign() // a second library reserves nothing
	check(3, 6)
	runtime.GOMAXPROCS(1)
	check(1, 1)
	Reserve()
	check(1, 2)
}

// TestPass: a goroutine goes through the scheduler once in each slice of time.
func TestPass(t *testing.T) {
	var turns turn
	turns.pass()
	first := turns.last.Load()
	if turns.pass(); time.Since(began) < time.Duration(first)+slice && turns.last.Load() != first {
		t.Error("two turns in one slice")
	}
	time.Sleep(slice)
	if turns.pass(); turns.last.Load() < first+int64(slice) {
		t.Error("no turn after a slice")
	}
}
