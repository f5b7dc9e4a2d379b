//go:build unix

package simd

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestPageEnds puts every operand where memory ends, and then where it begins: a
// routine that reads beyond one is killed by the system.
func TestPageEnds(t *testing.T) {
	page := unix.Getpagesize()
	var pages [][]byte
	for range 8 {
		b, err := unix.Mmap(-1, 0, 3*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			t.Skip("needs pages of its own: ", err)
		}
		defer func() { _ = unix.Munmap(b) }()
		for _, closed := range [][]byte{b[:page], b[2*page:]} {
			if err := unix.Mprotect(closed, unix.PROT_NONE); err != nil {
				t.Skip("needs pages that cannot be read: ", err)
			}
		}
		pages = append(pages, b[page:2*page])
	}
	for _, atEnd := range []bool{true, false} {
		next := 0
		guard := func(bytes int) unsafe.Pointer {
			p := pages[next%len(pages)]
			next++
			if atEnd {
				return unsafe.Add(unsafe.Pointer(unsafe.SliceData(p)), page-bytes)
			}
			return unsafe.Pointer(unsafe.SliceData(p))
		}
		for _, l := range vectors(t) {
			for n := range 301 {
				compare(t, routines, l, n, 0, uint64(n), guard)
			}
		}
	}
}
