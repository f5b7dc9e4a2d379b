package scratch

import (
	"sync"
	"unsafe"
)

// Float is the set of element types.
type Float interface{ float32 | float64 }

// Pool keeps as many slices as were ever in use at once. The zero value is empty.
type Pool[T any] struct {
	mu   sync.Mutex
	free [][]T
}

var (
	pool32 Pool[float32]
	pool64 Pool[float64]
)

// poolOf does without package blas, which is a user itself.
func poolOf[T Float]() *Pool[T] {
	if unsafe.Sizeof(T(0)) == unsafe.Sizeof(float32(0)) {
		return (*Pool[T])(unsafe.Pointer(&pool32))
	}
	return (*Pool[T])(unsafe.Pointer(&pool64))
}

// Get returns n elements of any value.
func Get[T Float](n int) []T { return poolOf[T]().Get(n) }

// Put makes the slice free for the next Get. It must not be used any more.
func Put[T Float](buf []T) { poolOf[T]().Put(buf) }

// Get returns n elements of any value: of the smallest free slice that is large enough. Where
// there is none, the largest is given up for a new one.
func (p *Pool[T]) Get(n int) []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return make([]T, n)
	}
	best := 0
	for i, f := range p.free {
		if better(cap(f), cap(p.free[best]), n) {
			best = i
		}
	}
	buf := p.free[best]
	p.free[best], p.free[last] = p.free[last], nil
	p.free = p.free[:last]
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}

// better reports whether a slice of size a suits n elements better than one of size b.
func better(a, b, n int) bool {
	if a < n || b < n {
		return a > b
	}
	return a < b
}

// Put makes the slice free for the next Get. It must not be used any more.
func (p *Pool[T]) Put(buf []T) {
	p.mu.Lock()
	p.free = append(p.free, buf)
	p.mu.Unlock()
}
