package datasets

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

func checkDtype(dtype tensor.Dtype) error {
	switch {
	case dtype.Type == nil:
		return errors.New("datasets: no dtype, want tensor.Float32 or tensor.Float64")
	case !apoops.IsFloat(dtype):
		return errors.Errorf("datasets: dtype %v, want tensor.Float32 or tensor.Float64", dtype)
	}
	return nil
}

// matrix makes a rows×cols matrix of src divided by unit. The dtype must have
// passed checkDtype, and src must hold rows*cols values.
func matrix[S byte | float64](dtype tensor.Dtype, rows, cols int, src []S, unit float64) *tensor.Dense {
	backing, _ := apoops.Choose(dtype, scaled[float32, S], scaled[float64, S])
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(backing(src, unit)))
}

// scaled is src divided by unit, as a []F.
func scaled[F apoops.Float, S byte | float64](src []S, unit float64) any {
	dst := make([]F, len(src))
	if src, ok := any(src).([]byte); ok {
		var table [256]F
		for v := range table {
			table[v] = F(float64(v) / unit)
		}
		for i, v := range src {
			dst[i] = table[v]
		}
		return dst
	}
	for i, v := range src {
		dst[i] = F(float64(v) / unit)
	}
	return dst
}

// labels makes a class vector of src and refuses values that are not whole
// numbers from 0 to classes-1.
func labels[S byte | float64](src []S, classes int) (*tensor.Dense, error) {
	dst := make([]int, len(src))
	for i, v := range src {
		class := int(v)
		if S(class) != v || class < 0 || class >= classes {
			return nil, errors.Errorf("label %d is %v, want 0 to %d", i, v, classes-1)
		}
		dst[i] = class
	}
	return tensor.New(tensor.WithShape(len(dst)), tensor.WithBacking(dst)), nil
}
