package vmath

import (
	"math"
	"testing"
)

// TestRectifyKeepsNaN, which max(z, 0) does too.
func TestRectifyKeepsNaN(t *testing.T) {
	z := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}
	rectify(z)
	if z[0] == z[0] || !math.IsInf(float64(z[1]), 1) || z[2] != 0 {
		t.Errorf("%v", z)
	}
}
