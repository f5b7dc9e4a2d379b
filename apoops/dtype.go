package apoops

import "gorgonia.org/tensor"

// Choose returns the value for a dtype: of Float32, of Float64, or ErrDtype for any
// other. The values are mostly instances of one generic function. All code that
// depends on a dtype goes through the functions of this file, so that a dtype more
// is an argument more here, and the compiler names the calls.
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
func DtypeOf[T Float]() tensor.Dtype {
	if _, ok := any(T(0)).(float32); ok {
		return tensor.Float32
	}
	return tensor.Float64
}

// Elements is the backing of a contiguous tensor of dtype T. It panics for another
// dtype.
func Elements[T Float](t *tensor.Dense) []T {
	if DtypeOf[T]() == tensor.Float32 {
		return any(t.Float32s()).([]T)
	}
	return any(t.Float64s()).([]T)
}
