package experiments

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/apo-gorgonia/apo/apoops"
)

// arithmetic computes with matrices whose elements are rounded to a format of 16 bits
// after every product and every sum of matrices, as hardware does that adds up products
// in more bits. Without a format nothing is rounded.
type arithmetic struct {
	format apoops.Format
	exact  bool
}

func (a arithmetic) round(m *mat.Dense) *mat.Dense {
	if !a.exact {
		m.Apply(func(_, _ int, v float64) float64 { return apoops.Round16(a.format, v) }, m)
	}
	return m
}

// unit is the largest relative error of a rounded number.
func (a arithmetic) unit() float64 {
	switch {
	case a.exact:
		return 0x1p-53
	case a.format == apoops.BFloat16:
		return 0x1p-9
	}
	return 0x1p-11
}

func (a arithmetic) mul(x, y mat.Matrix) *mat.Dense {
	var z mat.Dense
	z.Mul(x, y)
	return a.round(&z)
}

// add is x + scale·y.
func (a arithmetic) add(x mat.Matrix, scale float64, y mat.Matrix) *mat.Dense {
	var z mat.Dense
	z.Apply(func(i, j int, v float64) float64 { return v + scale*y.At(i, j) }, x)
	return a.round(&z)
}

func (a arithmetic) scaled(scale float64, x mat.Matrix) *mat.Dense {
	var z mat.Dense
	z.Scale(scale, x)
	return a.round(&z)
}

func identity(n int) *mat.Dense {
	d := mat.NewDense(n, n, nil)
	for i := range n {
		d.Set(i, i, 1)
	}
	return d
}

// inverse is that of a positive matrix by Cholesky's decomposition, as KFAC inverts its
// factors. ok is false where a pivot is not positive.
func (a arithmetic) inverse(x *mat.Dense) (inverse *mat.Dense, ok bool) {
	n, _ := x.Dims()
	number := func(v float64) float64 {
		if a.exact {
			return v
		}
		return apoops.Round16(a.format, v)
	}
	l, li := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	for j := range n {
		for i := j; i < n; i++ {
			sum := x.At(i, j)
			for k := range j {
				sum -= l.At(i, k) * l.At(j, k)
			}
			switch {
			case i > j:
				l.Set(i, j, number(sum/l.At(j, j)))
			case number(sum) > 0:
				l.Set(j, j, number(math.Sqrt(sum)))
			default:
				return nil, false
			}
		}
	}
	for j := range n { // L·L⁻¹ = I
		li.Set(j, j, number(1/l.At(j, j)))
		for i := j + 1; i < n; i++ {
			sum := 0.0
			for k := j; k < i; k++ {
				sum -= l.At(i, k) * li.At(k, j)
			}
			li.Set(i, j, number(sum/l.At(i, i)))
		}
	}
	return a.mul(li.T(), li), true
}
