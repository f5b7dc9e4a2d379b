package dnn

import (
	"sync"
	"unsafe"
)

// arenas holds the scratch memory of all convolutions while none uses it:
// about as many blocks as run at once, of the sizes that the largest
// convolutions need.
var arenas struct {
	sync.Mutex
	free [][]byte
}

// line is a cache line; blocks and their parts begin at one.
const line = 64

// align rounds up to whole cache lines.
func align(n int) int { return (n + line - 1) / line * line }

// borrow takes the smallest free block that has n bytes. If none has, the
// largest is given up for a new one.
func borrow(n int) []byte {
	arenas.Lock()
	defer arenas.Unlock()
	best, largest := -1, -1
	for i, b := range arenas.free {
		if len(b) >= n && (best < 0 || len(b) < len(arenas.free[best])) {
			best = i
		}
		if largest < 0 || len(b) > len(arenas.free[largest]) {
			largest = i
		}
	}
	if best < 0 {
		if largest >= 0 {
			remove(largest)
		}
		return newBlock(n)
	}
	b := arenas.free[best]
	remove(best)
	return b
}

func remove(i int) {
	last := len(arenas.free) - 1
	arenas.free[i] = arenas.free[last]
	arenas.free[last] = nil
	arenas.free = arenas.free[:last]
}

func giveBack(b []byte) {
	arenas.Lock()
	defer arenas.Unlock()
	arenas.free = append(arenas.free, b)
}

func newBlock(n int) []byte {
	b := make([]byte, n+line)
	skip := int(uintptr(unsafe.Pointer(&b[0])) % line)
	return b[(line-skip)%line:][:n]
}

// part cuts n bytes off the front of a block.
func part(b *[]byte, n int) []byte {
	p := (*b)[:n:n]
	*b = (*b)[min(align(n), len(*b)):]
	return p
}
