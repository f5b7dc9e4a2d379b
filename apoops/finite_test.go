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
