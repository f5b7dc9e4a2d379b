package array

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Restore gives arrays of any dtype the elements of copies that were made of them, and says
// whether any had others.
func Restore(arrays, copies []*tensor.Dense) (changed bool, err error) {
	for i, a := range arrays {
		if a.Eq(copies[i]) {
			continue
		}
		changed = true
		if err := tensor.Copy(a, copies[i]); err != nil {
			return changed, errors.Wrap(err, "restoring a mini-batch")
		}
	}
	return changed, nil
}

// Guard notices where the source of B' writes to the arrays of B. It compares those at
// the first call and then as long as the source returns arrays of B.
type Guard struct{ apart bool }

// Call calls the source, data being the inputs and targets of B. They are as they were where
// it returns.
func (g *Guard) Call(data []*tensor.Dense, source func() ([]*tensor.Dense, error)) ([]*tensor.Dense, error) {
	if g.apart {
		return source()
	}
	before := CloneAll(data)
	x, err := source()
	changed, restoring := Restore(data, before)
	switch {
	case restoring != nil:
		err = restoring
	case changed:
		err = errors.New("the source has changed the step's mini-batch: it needs arrays of its own, as TildeAt of NewBatches has")
	}
	g.apart = err == nil && !slices.ContainsFunc(x, func(a *tensor.Dense) bool {
		return a != nil && slices.ContainsFunc(data, func(b *tensor.Dense) bool { return a.Uintptr() == b.Uintptr() })
	})
	return x, err
}
