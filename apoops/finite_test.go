package apoops

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestFinite(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		g := gorgonia.NewGraph()
		y, err := Finite(gorgonia.NewVector(g, dt, gorgonia.WithName("x"), gorgonia.WithShape(5)))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ element, want float64 }{
			{1, 1}, {math.MaxFloat32, 1}, {-math.MaxFloat32, 1}, {math.SmallestNonzeroFloat32, 1},
			{math.NaN(), 0}, {math.Inf(1), 0}, {math.Inf(-1), 0},
		} {
			x := tensor.New(tensor.WithShape(5), tensor.WithBacking([]float64{0, 0, 0, 0, c.element}))
			v, err := y.Op().Do(convert(x, dt))
			if err != nil {
				t.Fatal(err)
			}
			if got := floats(v)[0]; got != c.want {
				t.Errorf("%v: Finite of %v is %v", dt, c.element, got)
			}
		}
	}
}

// One element decides, wherever it is: also where the sum of finite elements overflows, or
// those of infinite ones cancel.
func TestAllFinite(t *testing.T) {
	testAllFinite(t, float32(math.MaxFloat32))
	testAllFinite(t, math.MaxFloat64)
}

func testAllFinite[T Float](t *testing.T, largest T) {
	nan, inf := T(math.NaN()), T(math.Inf(1))
	for n := range 40 {
		x := make([]T, n)
		for i := range x {
			x[i] = largest
		}
		if !AllFinite(x) {
			t.Errorf("%T: %d of the largest numbers are not finite", largest, n)
		}
		for i := range x {
			for _, v := range []T{nan, inf, -inf} {
				x[i] = v
				if AllFinite(x) {
					t.Errorf("%T: %v at %d of %d is finite", largest, v, i, n)
				}
			}
			if x[0] = inf; AllFinite(x) {
				t.Errorf("%T: Inf and -Inf in %d are finite", largest, n)
			}
			x[0], x[i] = largest, largest
		}
	}
}
