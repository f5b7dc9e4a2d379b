package chart

import "math"

// Smooth is the exponential moving average of y with decay 1 - 1/n, corrected for its
// start at 0.
func Smooth(y []float64, n int) []float64 {
	out := make([]float64, len(y))
	keep, sum := 1-1/float64(n), 0.0
	for i, v := range y {
		sum = keep*sum + (1-keep)*v
		out[i] = sum / (1 - math.Pow(keep, float64(i+1)))
	}
	return out
}
