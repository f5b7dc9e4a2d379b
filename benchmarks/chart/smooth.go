package chart

import "math"

// Smooth is the running mean of y with weights that fall by 1/n a step, those
// of the first steps corrected for what is missing before them.
func Smooth(y []float64, n int) []float64 {
	out := make([]float64, len(y))
	keep, sum := 1-1/float64(n), 0.0
	for i, v := range y {
		sum = keep*sum + (1-keep)*v
		out[i] = sum / (1 - math.Pow(keep, float64(i+1)))
	}
	return out
}
