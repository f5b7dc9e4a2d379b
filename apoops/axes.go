package apoops

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// checkAxes reports axes that an array of shape s does not have, and repeated ones.
func checkAxes(s tensor.Shape, axes []int) error {
	for i, a := range axes {
		if a < 0 || a >= s.Dims() {
			return errors.Errorf("x of shape %v has no axis %d", s, a)
		}
		if slices.Contains(axes[:i], a) {
			return errors.Errorf("axis %d is named twice", a)
		}
	}
	return nil
}

// without is the shape s without the given axes.
func without(s tensor.Shape, axes []int) tensor.Shape {
	kept := make(tensor.Shape, 0, s.Dims())
	for a, n := range s {
		if !slices.Contains(axes, a) {
			kept = append(kept, n)
		}
	}
	return kept
}

// around is the number of elements before, along and after an axis of shape s:
// element (i, j, k) has number (i·along + j)·after + k.
func around(s tensor.Shape, axis int) (before, along, after int) {
	return tensor.Shape(s[:axis]).TotalSize(), s[axis], tensor.Shape(s[axis+1:]).TotalSize()
}

// offsets are the numbers of the elements of an array of shape s whose indices are
// 0 but along the given axes, in row-major order.
func offsets(s tensor.Shape, axes []int) []int {
	all := []int{0}
	for a, n := range s {
		if !slices.Contains(axes, a) {
			continue
		}
		stride := tensor.Shape(s[a+1:]).TotalSize()
		next := make([]int, 0, len(all)*n)
		for _, o := range all {
			for i := range n {
				next = append(next, o+i*stride)
			}
		}
		all = next
	}
	return all
}
