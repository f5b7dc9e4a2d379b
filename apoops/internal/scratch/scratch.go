package scratch

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// pool keeps as many slices as were ever in use at once.
type pool[T blas.Float] struct {
	mu   sync.Mutex
	free [][]T
}

var (
	pool32 pool[float32]
	pool64 pool[float64]
)

func poolOf[T blas.Float]() *pool[T] { return blas.Pick[T, any](&pool32, &pool64).(*pool[T]) }

// Get returns n elements of any value.
func Get[T blas.Float](n int) []T { return poolOf[T]().get(n) }

// Put makes the slice free for the next Get. It must not be used any more.
func Put[T blas.Float](buf []T) { poolOf[T]().put(buf) }

// get takes the largest free slice if that is large enough.
func (p *pool[T]) get(n int) []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return make([]T, n)
	}
	best := 0
	for i, f := range p.free {
		if cap(f) > cap(p.free[best]) {
			best = i
		}
	}
	buf := p.free[best]
	p.free[best] = p.free[last]
	p.free = p.free[:last]
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}

func (p *pool[T]) put(buf []T) {
	p.mu.Lock()
	p.free = append(p.free, buf)
	p.mu.Unlock()
}
