package apoops

import (
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// All code that depends on a dtype goes through the functions of this file and
// blas.Pick, which they are built on: a new dtype is a new argument here, and the
// compiler lists the calls. A test of this package searches the module for other
// places that choose by a dtype.

// Choose returns the value for a dtype: of Float32, of Float64, or ErrDtype for any
// other. The values are mostly instances of one generic function.
func Choose[V any](dt tensor.Dtype, single, double V) (V, error) {
	switch dt {
	case tensor.Float32:
		return single, nil
	case tensor.Float64:
		return double, nil
	}
	var none V
	return none, ErrDtype.Errorf("dtype %v is neither float32 nor float64", dt)
}

// IsFloat reports whether dt is a dtype of Float.
func IsFloat(dt tensor.Dtype) bool {
	_, err := Choose(dt, 0, 0)
	return err == nil
}

// DtypeOf is the dtype of T.
func DtypeOf[T Float]() tensor.Dtype { return blas.Pick[T](tensor.Float32, tensor.Float64) }

// Elements is the backing of a contiguous tensor of dtype T. It panics for another
// dtype.
func Elements[T Float](t *tensor.Dense) []T {
	if DtypeOf[T]() == tensor.Float32 {
		return any(t.Float32s()).([]T)
	}
	return any(t.Float64s()).([]T)
}

// Number is the number that v holds: a float scalar, or a tensor of floats with one
// element. ok is false for other values.
func Number(v gorgonia.Value) (x float64, ok bool) {
	switch v := v.(type) {
	case *gorgonia.F32:
		return float64(*v), true
	case *gorgonia.F64:
		return float64(*v), true
	case *tensor.Dense:
		if v.DataSize() != 1 && !v.IsScalar() {
			return 0, false
		}
		number, err := Choose(v.Dtype(), firstOf[float32], firstOf[float64])
		if err != nil {
			return 0, false
		}
		return number(v), true
	}
	return 0, false
}

func firstOf[T Float](t *tensor.Dense) float64 { return float64(Elements[T](t)[0]) }

// NumberArray is an array of shape (1) over the memory of a float scalar, nil for
// other values.
func NumberArray(v gorgonia.Value) *tensor.Dense {
	switch v := v.(type) {
	case *gorgonia.F32:
		return tensor.New(tensor.WithShape(1), tensor.WithBacking(unsafe.Slice((*float32)(v), 1)))
	case *gorgonia.F64:
		return tensor.New(tensor.WithShape(1), tensor.WithBacking(unsafe.Slice((*float64)(v), 1)))
	}
	return nil
}

// scalar is a value of dtype T without axes, as Gorgonia passes it.
type scalar[T Float] struct {
	value gorgonia.Value
	set   func(x T)
}

func newScalar[T Float]() scalar[T] {
	single, double := gorgonia.NewF32(0), gorgonia.NewF64(0)
	return blas.Pick[T](
		scalar[T]{single, func(x T) { *single = gorgonia.F32(x) }},
		scalar[T]{double, func(x T) { *double = gorgonia.F64(x) }})
}
