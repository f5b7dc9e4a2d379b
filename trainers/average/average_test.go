package average

import (
	"math"
	"testing"
)

// TestShares compares θ̄ with the weighted means that the averages are.
func TestShares(t *testing.T) {
	for name, c := range map[string]struct {
		a      Average
		weight func(k, t int) float64 // of θ_k in θ̄_t, up to a factor
	}{
		"exponential": {Exponential(0.9), func(k, t int) float64 { return math.Pow(0.9, float64(t-k)) }},
		"last":        {Exponential(0), func(k, t int) float64 { return map[bool]float64{true: 1}[k == t] }},
		"mean":        {PolynomialDecay(0), func(int, int) float64 { return 1 }},
		// With γ = 1 θ_k has c_k times the 1-c_j of later steps: 2/(k+1) times the product of
		// (j-1)/(j+1), which is k(k+1)/(t(t+1)).
		"polynomial": {PolynomialDecay(1), func(k, _ int) float64 { return float64(k) }},
	} {
		if err := c.a.Err(); err != nil {
			t.Fatal(err)
		}
		got := 1e9 // has no part
		for step := 1; step <= 50; step++ {
			got += c.a.Share(step) * (math.Sin(float64(step)) - got)
			sum, weights := 0.0, 0.0
			for k := 1; k <= step; k++ {
				sum += c.weight(k, step) * math.Sin(float64(k))
				weights += c.weight(k, step)
			}
			if want := sum / weights; math.Abs(got-want) > 1e-6 {
				t.Fatalf("%s, step %d: %v, want %v", name, step, got, want)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, a := range []Average{{}, Exponential(1), Exponential(-0.1), Exponential(math.NaN()), PolynomialDecay(-1), PolynomialDecay(math.NaN()), PolynomialDecay(math.Inf(1))} {
		if a.Err() == nil {
			t.Errorf("%v: no error", a)
		}
	}
}
