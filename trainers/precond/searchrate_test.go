package precond

import (
	"math"
	"testing"
)

// TestSearchRate finds minima far from where it begins, of losses that are not finite beyond
// them or fall too little to be seen before.
func TestSearchRate(t *testing.T) {
	for name, loss := range map[string]func(x float64) float64{
		"parabola":     func(x float64) float64 { return x * (x - 2) },
		"quartic":      func(x float64) float64 { return math.Pow(x-1, 4) },
		"Inf beyond":   func(x float64) float64 { return 1/(1.5-min(x, 1.5)) - 3*x },
		"NaN beyond":   func(x float64) float64 { return x*(x-2) + 0*math.Sqrt(3-x) },
		"flat at 0":    func(x float64) float64 { return float64(float32(1e3 + x*(x-2))) },
		"large beyond": func(x float64) float64 { return math.Expm1(x*math.Log(4)) - 5.545177444479562*x },
	} {
		for exponent := -9.; exponent < 5; exponent += 0.7 {
			scale, calls := math.Pow(10, exponent), 0
			r, err := searchRate(func(r float64) (float64, error) { calls++; return loss(r / scale), nil })
			want := minimum(loss)
			if err != nil || math.Abs(math.Log(r/scale/want)) > 0.1 && loss(r/scale) > loss(want)+1e-4 || calls > 60 {
				t.Errorf("%s, scale %.3g: %v in %d losses, the minimum is at %v (%v)", name, scale, r/scale, calls, want, err)
			}
		}
	}
	for name, loss := range map[string]float64{"constant": 2, "NaN": math.NaN()} {
		if r, err := searchRate(func(r float64) (float64, error) { return loss, nil }); r != firstRate || err != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

// minimum is that of a loss on a grid.
func minimum(loss func(x float64) float64) (best float64) {
	for x := 0.1; x < 4; x *= 1.001 {
		if loss(x) < loss(best) {
			best = x
		}
	}
	return best
}
