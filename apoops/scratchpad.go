package apoops

import "sync"

// scratchpad lends memory for the time of one piece of work, so that ops that
// never run at the same time share it. It keeps as many slices as were ever out at
// once.
type scratchpad[T Float] struct {
	mu   sync.Mutex
	free [][]T
}

var (
	scratch32 scratchpad[float32]
	scratch64 scratchpad[float64]
)

func scratchOf[T Float]() *scratchpad[T] {
	if s, ok := any(&scratch32).(*scratchpad[T]); ok {
		return s
	}
	return any(&scratch64).(*scratchpad[T])
}

// take lends n elements of any value, in the largest free slice if that is large
// enough.
func (s *scratchpad[T]) take(n int) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		return make([]T, n)
	}
	best := 0
	for i, f := range s.free {
		if cap(f) > cap(s.free[best]) {
			best = i
		}
	}
	buf := s.free[best]
	s.free[best] = s.free[last]
	s.free = s.free[:last]
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}

// give takes back what take lent.
func (s *scratchpad[T]) give(buf []T) {
	s.mu.Lock()
	s.free = append(s.free, buf)
	s.mu.Unlock()
}
