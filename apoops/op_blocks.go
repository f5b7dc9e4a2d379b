package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
)

// Blocker is implemented by the ops of this package. A Blocker of float32 may read and
// write images, N×C×H×W, in blocks of dnn.Block channels, in memory N×C/16×H×W×16, as
// oneDNN's convolutions work on them: between plain ones they copy. The shape of such an
// array is N×C×H×W still; ops of this package alone can read it.
type Blocker interface {
	Buffered
	// Blocks says which arrays may be in blocks: a number for each operand and, as the
	// last one, for the result, 0 for those that must be plain. Arrays with the same
	// number are in the same order. gains says whether blocks save time. It depends on
	// RoundResult, which comes before.
	Blocks() (arrays []int, gains bool)
	// SetBlocks says which operands and, as the last one, whether the result are in
	// blocks. Call it before the first run. Clones have plain ones.
	SetBlocks(arrays []bool) error
}

var _ Blocker = (*op[float32])(nil)

// blockable is implemented by kernels that read or write images in blocks and work not by
// element.
type blockable interface {
	// blocks are the numbers of Blocker.Blocks for operands of these shapes; those of
	// arrays that have no blocks of channels do not matter. bits is for operands of
	// bfloat16.
	blocks(in []tensor.Shape, bits bool) (arrays []int, gains bool)
}

// Blocks implements Blocker.
func (o *op[T]) Blocks() (arrays []int, gains bool) {
	plain := make([]int, len(o.ints)+1)
	if blas.Pick[T](false, true) {
		return plain, false
	}
	shapes := append(o.built[:len(o.built):len(o.built)], o.shape)
	switch k := any(o.k).(type) {
	case persistent, integerResult:
		return plain, false
	case blockable:
		if arrays, gains = k.blocks(o.built, o.low != nil && o.low.format == BFloat16 && o.low.keep != KeepSingle); arrays == nil {
			return plain, false
		}
	case byElement[T]:
		arrays = plain
		for i, s := range shapes {
			if s.Eq(o.shape) {
				arrays[i] = 1
			}
		}
	default:
		return plain, false
	}
	for i, s := range shapes {
		if s.Dims() == 4 && s[1]%dnn.Block == 0 {
			continue
		}
		for j, number := range arrays {
			if number == arrays[i] && j != i {
				arrays[j] = 0
			}
		}
		arrays[i] = 0
	}
	return arrays, gains
}

// SetBlocks implements Blocker.
func (o *op[T]) SetBlocks(arrays []bool) error {
	may, _ := o.Blocks()
	if len(arrays) != len(may) {
		return errors.Errorf("apoops: %s: %d arrays, not %d", o.k.name(), len(arrays), len(may))
	}
	for i, in := range arrays {
		if in && may[i] == 0 {
			return errors.Errorf("apoops: %s: array %d cannot be in blocks of channels", o.k.name(), i)
		}
		for j, also := range may[:i] {
			if also == may[i] && also != 0 && arrays[j] != in {
				return errors.Errorf("apoops: %s: arrays %d and %d must be in one order", o.k.name(), j, i)
			}
		}
	}
	o.a.blocked = arrays
	return nil
}

// inBlocks reports whether operand i is in blocks of channels.
func (a *args[T]) inBlocks(i int) bool { return a.blocked != nil && a.blocked[i] }

// blockResult reports whether the result is.
func (a *args[T]) blockResult() bool { return a.inBlocks(len(a.blocked) - 1) }
