package gemm

import (
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/guard"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// TestPageEnds puts every operand where memory ends, and then where it begins: what
// reads or writes beyond one is killed by the system.
func TestPageEnds(t *testing.T) {
	rooms, err := guard.New(3+len(simd.Levels()), 1<<17) // A, B, C and the results of compare
	if err != nil {
		t.Skip(err)
	}
	defer rooms.Close()
	for _, atEnd := range []bool{true, false} {
		rooms.AtEnd = atEnd
		r := rand.New(rand.NewPCG(5, 6))
		for range 80 {
			m, n, k := 1+r.IntN(50), 1+r.IntN(80), 1+r.IntN(60)
			compare(t, r, m, n, k, r.IntN(3), false, func(n int) []float32 { return guard.Slice[float32](rooms, n) })
			compare(t, r, m, n, k, r.IntN(3), false, func(n int) []float64 { return guard.Slice[float64](rooms, n) })
		}
	}
}
