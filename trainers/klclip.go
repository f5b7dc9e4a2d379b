package trainers

import "math"

// clipFactor is ν = min(1, √(limit/size)), where size is Σ η²·<d, g>: twice the
// KL divergence of a step η·d, as the Fisher matrix sees it. No limit is 0.
func clipFactor(limit, size float64) float64 {
	if limit <= 0 || !(size > limit) {
		return 1
	}
	return math.Sqrt(limit / size)
}
