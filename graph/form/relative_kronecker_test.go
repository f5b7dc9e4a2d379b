package form

import (
	"math"
	"testing"

	"gorgonia.org/tensor"
)

// TestBalanceKeepsP has columns of many lengths, one of them 0.
func TestBalanceKeepsP(t *testing.T) {
	c := newCase(Kronecker{}, 3, 4)
	p := c.perturbed(t, tensor.Float64).(*kronecker[float64])
	for i := range c.cols {
		p.array(0)[i*c.cols+2] = 0
	}
	before := c.dense(t, p.Factors()).RawMatrix().Data
	newKroneckerLearner(p).balance()
	near(t, "P", c.dense(t, p.Factors()).RawMatrix().Data, before, 1e-14)
	for k, n := range []int{c.cols, c.rows} {
		for j := range n {
			var squares float64
			for i := range n {
				squares += p.array(k)[i*n+j] * p.array(k)[i*n+j]
			}
			if zero := k == 0 && j == 2; math.Abs(squares-1) > 1e-12 && !(zero && squares == 0) {
				t.Errorf("factor %d: column %d has the length %v", k, j, math.Sqrt(squares))
			}
		}
	}
}
