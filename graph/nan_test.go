package graph

import (
	"math"
	"testing"

	"gorgonia.org/tensor"
)

func TestFirstNaN(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		x    any
		want int
	}{
		{[]float64{1, 2}, -1}, {[]float64{nan, 1}, 0}, {[]float64{1, nan, nan}, 1}, {[]float64{inf, -inf, 1}, -1}, {[]float64{inf, -inf, nan}, 2},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, -1}, {[]float32{1, float32(inf), float32(nan)}, 2}, {[]int{1, 2}, -1},
	} {
		if got := FirstNaN(tensor.New(tensor.WithBacking(c.x))); got != c.want {
			t.Errorf("first NaN of %v at %d, want %d", c.x, got, c.want)
		}
	}
}
