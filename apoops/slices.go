package apoops

import (
	"gorgonia.org/gorgonia"
)

// sized returns buf if it has n elements, or a new slice.
func sized[T any](buf []T, n int) []T {
	if len(buf) == n {
		return buf
	}
	return make([]T, n)
}

// isInput tells whether n is a leaf of the graph that is fed from outside.
func isInput(n *gorgonia.Node) bool { return n.Op() == nil }

// rowGrain is the number of rows of the given length that make a chunk of
// parallel work.
func rowGrain(cols int) int { return max(1, 4096/max(cols, 1)) }
