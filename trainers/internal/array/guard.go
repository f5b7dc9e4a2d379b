package array

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Guard notices where the source of B' writes to the arrays of B. It compares those at
// the first call and then as long as the source returns arrays of B.
type Guard struct{ apart bool }

// Call calls the source, data being the inputs of B. They are as they were where it returns.
func (g *Guard) Call(data []*tensor.Dense, source func() ([]*tensor.Dense, error)) ([]*tensor.Dense, error) {
	if g.apart {
		return source()
	}
	before := CloneAll(data)
	x, err := source()
	for i, a := range before {
		if !a.Eq(data[i]) {
			Copy(data[i], a)
			err = errors.Errorf("the source has changed input %d of the step's mini-batch: it needs arrays of its own, as TildeAt of NewBatches has", i)
		}
	}
	g.apart = err == nil && !slices.ContainsFunc(x, func(a *tensor.Dense) bool {
		return a != nil && slices.ContainsFunc(data, func(b *tensor.Dense) bool { return a.Uintptr() == b.Uintptr() })
	})
	return x, err
}
