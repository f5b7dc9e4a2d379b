//go:build unix

package gemm

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// TestPageEnds puts every operand where memory ends, and then where it begins: what
// reads or writes beyond one is killed by the system.
func TestPageEnds(t *testing.T) {
	const room = 1 << 17
	page := unix.Getpagesize()
	var rooms [][]byte
	for range 3 + len(simd.Levels()) { // A, B, C and the results of compare
		b, err := unix.Mmap(-1, 0, room+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			t.Skip("needs pages of its own: ", err)
		}
		defer func() { _ = unix.Munmap(b) }()
		for _, closed := range [][]byte{b[:page], b[page+room:]} {
			if err := unix.Mprotect(closed, unix.PROT_NONE); err != nil {
				t.Skip("needs pages that cannot be read: ", err)
			}
		}
		rooms = append(rooms, b[page:page+room])
	}
	for _, atEnd := range []bool{true, false} {
		next := 0
		place := func(bytes int) unsafe.Pointer {
			p := rooms[next%len(rooms)]
			next++
			if atEnd {
				return unsafe.Pointer(&p[room-bytes])
			}
			return unsafe.Pointer(&p[0])
		}
		r := rand.New(rand.NewPCG(5, 6))
		for range 80 {
			m, n, k := 1+r.IntN(50), 1+r.IntN(80), 1+r.IntN(60)
			compare(t, r, m, n, k, r.IntN(3), false, func(n int) []float32 { return unsafe.Slice((*float32)(place(4*n)), n) })
			compare(t, r, m, n, k, r.IntN(3), false, func(n int) []float64 { return unsafe.Slice((*float64)(place(8*n)), n) })
		}
	}
}
