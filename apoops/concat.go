package apoops

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Concat joins arrays along an axis, in their order: their shapes may differ there
// alone. (The gradient of Gorgonia's is cut by its Slice: see there.)
func Concat(axis int, x ...*gorgonia.Node) (*gorgonia.Node, error) {
	return pick(&concat[float32]{axis: axis, n: len(x)}, &concat[float64]{axis: axis, n: len(x)}, x...)
}

// concat is the kernel of Concat.
type concat[T Float] struct {
	axis, n int
	a       *args[T]
	body    func(lo, hi int)
}

func (k *concat[T]) name() string     { return fmt.Sprintf("concat(%d)", k.axis) }
func (k *concat[T]) wrt() []bool      { return slices.Repeat([]bool{true}, k.n) }
func (k *concat[T]) fresh() kernel[T] { return &concat[T]{axis: k.axis, n: k.n} }

func (k *concat[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := checkAxes(in[0], []int{k.axis}); err != nil {
		return nil, err
	}
	whole := in[0].Clone()
	whole[k.axis] = 0
	for i, s := range in {
		part := s.Clone()
		if len(part) == len(whole) {
			part[k.axis] = whole[k.axis]
		}
		if !slices.Equal(part, whole) {
			return nil, errors.Errorf("operand %d of shape %v does not fit behind %v on axis %d", i, s, in[0], k.axis)
		}
		whole[k.axis] += s[k.axis]
	}
	return whole, nil
}

func (k *concat[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a = a
	before, _, _ := around(a.shapes[0], k.axis)
	par.For(before, rowGrain(len(a.out)/max(before, 1)), k.body)
	return nil
}

func (k *concat[T]) rows(lo, hi int) {
	before, _, _ := around(k.a.shapes[0], k.axis)
	length := len(k.a.out) / before
	for i := lo; i < hi; i++ {
		y := k.a.out[i*length : (i+1)*length]
		for _, x := range k.a.in {
			part := len(x) / before
			copy(y, x[i*part:(i+1)*part])
			y = y[part:]
		}
	}
}

func (k *concat[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dx := make(gorgonia.Nodes, len(in))
	first := 0
	for i, x := range in {
		count := x.Shape()[k.axis]
		var err error
		if dx[i], err = Slice(dout, k.axis, first, 1, count, x.Shape()...); err != nil {
			return nil, err
		}
		first += count
	}
	return dx, nil
}
