package apoops

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
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

// sized returns buf if it has n elements, or a new slice.
func sized[T any](buf []T, n int) []T {
	if len(buf) == n {
		return buf
	}
	return make([]T, n)
}

// isInput reports whether n is an input of the graph, not computed in it, or data that
// have been rounded.
func isInput(n *gorgonia.Node) bool {
	if n.Op() == nil {
		return true
	}
	k, ok := kernelOf(n.Op()).(interface{ isInput() bool })
	return ok && k.isInput()
}

// reductionBlock is the number of neighbouring results that are computed at a time.
const reductionBlock = 128

// reduction says which elements of an array go into each result of a reduction over
// some axes, such as a sum.
type reduction struct {
	kept   []int // numbers of the first elements of runs of results, or of single ones
	over   []int // numbers of the elements that go into them, or of runs, from there
	run    int   // length of the runs along the last axes
	across bool  // a run is of results, not of elements of one result
}

// blocks is the number of blocks in a run of results.
func (l reduction) blocks() int { return (l.run + reductionBlock - 1) / reductionBlock }

func reductionOf(x tensor.Shape, axes []int) reduction {
	l := reduction{run: 1, across: !slices.Contains(axes, x.Dims()-1)}
	last := x.Dims()
	for last > 0 && slices.Contains(axes, last-1) != l.across {
		last--
		l.run *= x[last]
	}
	var kept, over []int
	for a := range last {
		if slices.Contains(axes, a) {
			over = append(over, a)
		} else {
			kept = append(kept, a)
		}
	}
	l.kept, l.over = offsets(x, kept), offsets(x, over)
	return l
}

func sameShape(a, b tensor.Shape) error {
	if !a.Eq(b) {
		return ErrShape.Errorf("operands of different shapes %v and %v", a, b)
	}
	return nil
}

// SameShape reports whether two shapes are equal. tensor.Shape.Eq also takes a vector
// for a row or a column.
func SameShape(a, b tensor.Shape) bool { return slices.Equal(a, b) }

// sameRows reports whether arrays of these shapes have the same elements in each row:
// a vector of N and N×1 count as equal.
func sameRows(a, b tensor.Shape) bool {
	column := func(s tensor.Shape) tensor.Shape {
		if s.Dims() == 2 && s[1] == 1 {
			return s[:1]
		}
		return s
	}
	return SameShape(column(a), column(b))
}

// checkSize refuses results that are empty or too large for any memory.
func checkSize(s tensor.Shape) error {
	const most = 1 << 36
	size := 1
	for _, n := range s {
		if n < 1 || size > most/n {
			return ErrShape.Errorf("a result of shape %v is empty or has more than %d elements", s, most)
		}
		size *= n
	}
	return nil
}

func wantMatrix(s tensor.Shape, operand string) error {
	if s.Dims() != 2 {
		return ErrShape.Errorf("%s has shape %v, not a matrix", operand, s)
	}
	return nil
}
