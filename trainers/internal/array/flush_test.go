package array

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"
)

func TestFlush(t *testing.T) {
	single := Vector([]float32{0, 1, 0x1p-126, -0x1p-126, 0x1p-127, -1e-45, float32(math.Inf(-1)), float32(math.NaN())})
	Flush(single)
	if got := fmt.Sprint(single.Float32s()); got != "[0 1 1.1754944e-38 -1.1754944e-38 0 0 -Inf NaN]" {
		t.Error(got)
	}
	double := Vector([]float64{1e-310, -1e-320, 0x1p-1022, 1e-45})
	Flush(double)
	if got := fmt.Sprint(double.Float64s()); got != "[0 0 2.2250738585072014e-308 1e-45]" {
		t.Error(got)
	}
	counts := tensor.New(tensor.WithBacking([]uint64{1, 2}))
	Flush(counts)
	if got := fmt.Sprint(counts.Data()); got != "[1 2]" {
		t.Error(got)
	}
	many := make([]float32, 100_000)
	Fill(many, 1e-40)
	Flush(Vector(many))
	for i, v := range many {
		if v != 0 {
			t.Fatalf("element %d is %v", i, v)
		}
	}
}
