package conv

import (
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// loopColumns is the number of patches that make one product of a PatchLoop.
const loopColumns = 2048

// PatchLoop visits the images in groups, one after the other, with the patches of
// each group: sums over the images need no memory but that of one group.
type PatchLoop[T Float] struct {
	patches
	N            int // images
	First, Count int // first image of the current group and their number
	group        int
	x            []T
	cols         []T
	body         func(lo, hi int)
}

// NewPatchLoop makes a loop over images of shape x, N×C×H×W.
func NewPatchLoop[T Float](c Geometry, x []int) *PatchLoop[T] {
	l := &PatchLoop[T]{patches: newPatches(c, x), N: x[0]}
	l.group = l.groupOf(l.N, loopColumns)
	l.body = l.gatherRows
	return l
}

// Limit makes the groups so small that elements for each image, times the images of
// a group, are not many more than its patches may have.
func (l *PatchLoop[T]) Limit(elements int) {
	l.group = min(l.group, max(1, groupElements/elements))
}

// Grow makes the groups larger where their patches have fewer than the given number of
// elements, up to the usual number of patches.
func (l *PatchLoop[T]) Grow(elements int) {
	g := min(loopColumns, elements/l.Rows) / l.Positions
	l.group = max(l.group, min(g, l.N))
}

// GrowFrom is Grow where the patches have so many rows; with fewer each image is a group.
func (l *PatchLoop[T]) GrowFrom(rows, elements int) {
	if l.Rows < rows {
		l.group = 1
		return
	}
	l.Grow(elements)
}

// Each calls visit with the patches of each group, rows×(count·positions).
func (l *PatchLoop[T]) Each(x []T, visit func(columns []T)) {
	l.x = x
	l.cols = scratch.Get[T](l.Rows * l.group * l.Positions)
	for l.First = 0; l.First < l.N; l.First += l.group {
		l.Count = min(l.group, l.N-l.First)
		if l.sameLayout && l.Count == 1 {
			visit(x[l.First*l.imageSize : (l.First+1)*l.imageSize])
			continue
		}
		par.For(l.Rows, par.RowGrain(l.Count*l.Positions), l.body)
		visit(l.cols[:l.Rows*l.Count*l.Positions])
	}
	scratch.Put(l.cols)
	l.x, l.cols = nil, nil
}

// gatherRows gathers the rows [lo, hi) of the group's patches.
func (l *PatchLoop[T]) gatherRows(lo, hi int) {
	gatherAll(&l.patches, l.cols, l.x[l.First*l.imageSize:], l.Count, lo, hi)
}

// Beta is what a sum over the groups starts from: 0 at the first group, which
// overwrites what there was, 1 at the others.
func (l *PatchLoop[T]) Beta() T {
	if l.First == 0 {
		return 0
	}
	return 1
}
