package learn

import (
	"math"
	"testing"
)

func TestConst(t *testing.T) {
	w := Const(0.25)
	for _, step := range []int{-1, 0, 1, math.MaxInt} {
		if got := w(step); got != 0.25 {
			t.Errorf("step %d: %v", step, got)
		}
	}
}
