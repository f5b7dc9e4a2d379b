package curvature

import (
	"cmp"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// work is what several items cost, such as the inverses of each layer. The members of a
// training, or one process alone, divide it among them.
type work[T apoops.Float] struct {
	// members are nil for one process.
	members collective.Communicator
	// cost of an item is in proportion to its time.
	cost []float64
	// compute makes the results of an item; after an error they are as before.
	compute func(i int) error
	// results are the arrays that it makes.
	results func(i int) []*tensor.Dense
}

// do computes each item on one member, all cores of which take the largest first, or one
// would be left with the last of them. The others get its results, to the bit. It reports the
// items that have failed, on all members the same.
func (w work[T]) do() (failed []bool, err error) {
	rank, size := 0, 1
	if w.members != nil {
		rank, size = w.members.Rank(), w.members.Size()
	}
	order, owner := w.assign(size)
	own := slices.DeleteFunc(order, func(i int) bool { return owner[i] != rank })
	failed = make([]bool, len(w.cost))
	par.For(len(own), 1, func(lo, hi int) {
		for _, i := range own[lo:hi] {
			failed[i] = w.compute(i) != nil
		}
	})
	if size == 1 {
		return failed, nil
	}
	return failed, errors.WithMessage(w.share(failed, owner), "results that members divide among them")
}

// assign gives each item, the largest first, to the member that has the least to do.
func (w work[T]) assign(members int) (order, owner []int) {
	for i := range w.cost {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(w.cost[j], w.cost[i]) })
	owner, load := make([]int, len(order)), make([]float64, members)
	for _, i := range order {
		for r, l := range load {
			if l < load[owner[i]] {
				owner[i] = r
			}
		}
		load[owner[i]] += w.cost[i]
	}
	return order, owner
}

// share hands the results out.
func (w work[T]) share(failed []bool, owner []int) error {
	flags := make([]float64, len(failed))
	for i, f := range failed {
		if f {
			flags[i] = 1
		}
	}
	if err := collective.Sum(w.members, flags); err != nil {
		return err
	}
	for i := range failed {
		if failed[i] = flags[i] != 0; failed[i] {
			continue
		}
		for _, a := range w.results(i) {
			if err := collective.Broadcast(w.members, owner[i], apoops.Elements[T](a)); err != nil {
				return err
			}
		}
	}
	return nil
}

// count is the number of those that are true.
func count(all []bool) (n int) {
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}
