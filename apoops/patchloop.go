package apoops

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// loopColumns is the number of patches that make one product of a patchLoop.
const loopColumns = 2048

// patchLoop visits the images in groups, one after the other, with the patches of
// each group: sums over the images need no memory but that of one group.
type patchLoop[T Float] struct {
	patches
	n, group     int
	x            []T
	first, count int // image and images of the group at hand
	cols         []T
	body         func(lo, hi int)
}

func newPatchLoop[T Float](c Conv, x tensor.Shape) *patchLoop[T] {
	l := &patchLoop[T]{patches: newPatches(c, x), n: x[0]}
	l.group = l.groupOf(l.n, loopColumns)
	l.body = l.gatherRows
	return l
}

// each calls visit with the patches of each group, rows×(count·positions).
func (l *patchLoop[T]) each(x []T, visit func(columns []T)) {
	l.x = x
	l.cols = scratchOf[T]().take(l.rows * l.group * l.positions)
	for l.first = 0; l.first < l.n; l.first += l.group {
		l.count = min(l.group, l.n-l.first)
		if l.sameLayout && l.count == 1 {
			visit(x[l.first*l.imageSize : (l.first+1)*l.imageSize])
			continue
		}
		par.For(l.rows, rowGrain(l.count*l.positions), l.body)
		visit(l.cols[:l.rows*l.count*l.positions])
	}
	scratchOf[T]().give(l.cols)
	l.x, l.cols = nil, nil
}

// gatherRows gathers the rows [lo, hi) of the group's patches.
func (l *patchLoop[T]) gatherRows(lo, hi int) {
	gatherAll(&l.patches, l.cols, l.x[l.first*l.imageSize:], l.count, lo, hi)
}

// beta is what a sum over the groups starts from: 0 at the first group, which
// overwrites what there was, 1 at the others.
func (l *patchLoop[T]) beta() T {
	if l.first == 0 {
		return 0
	}
	return 1
}
