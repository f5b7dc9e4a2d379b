package simd

import (
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/guard"
)

// TestPageEnds puts every operand where memory ends, and then where it begins: a
// routine that reads beyond one is killed by the system.
func TestPageEnds(t *testing.T) {
	rooms, err := guard.New(8, 16384) // addrows_test.go has the largest arrays
	if err != nil {
		t.Skip(err)
	}
	defer rooms.Close()
	for _, atEnd := range []bool{true, false} {
		rooms.AtEnd = atEnd
		for _, l := range vectors(t) {
			for n := range 301 {
				compare(t, routines, l, n, 0, uint64(n), rooms.Next)
			}
		}
	}
}
