//go:build unix

package guard_test

import (
	"fmt"
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/apo-gorgonia/apo/apoops/internal/guard"
)

// faults reports whether a byte cannot be read.
func faults(p unsafe.Pointer) (fault bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() != nil }()
	return *(*byte)(p) == 1
}

// TestBeyond: what lies behind an array at the end of a room, and before one at its
// beginning, cannot be read; the array can.
func TestBeyond(t *testing.T) {
	rooms, err := guard.New(2, 5000)
	if err != nil {
		t.Skip(err)
	}
	defer rooms.Close()
	for _, n := range []int{1, 3, 1000} {
		for _, atEnd := range []bool{true, false} {
			rooms.AtEnd = atEnd
			x := guard.Slice[uint32](rooms, n)
			x[0], x[n-1] = 1, 2
			p, beyond := unsafe.Pointer(&x[0]), -1
			if atEnd {
				beyond = 4 * n
			}
			if faults(p) || faults(unsafe.Pointer(&x[n-1])) {
				t.Errorf("%d elements, at the end %v: cannot be read", n, atEnd)
			}
			if !faults(unsafe.Add(p, beyond)) {
				t.Errorf("%d elements, at the end %v: byte %d can be read", n, atEnd, beyond)
			}
		}
	}
}

func Example() {
	rooms, err := guard.New(2, 100) // two arrays at once
	if err != nil {
		return
	}
	defer rooms.Close()
	rooms.AtEnd = true
	x, y := guard.Slice[float32](rooms, 3), guard.Slice[float32](rooms, 3)
	copy(x, []float32{1, 2, 3})
	copy(y, x) // where it read a fourth element, the test would end
	fmt.Println(y)
	// Output: [1 2 3]
}
