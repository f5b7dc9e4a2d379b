package apoops

import (
	"slices"

	"gorgonia.org/tensor"
)

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
