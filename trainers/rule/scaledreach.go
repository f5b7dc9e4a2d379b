package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// scaledReach bounds |m|·first/(√v·root + ε), where v averages the squares of
// numbers up to g and m is at most ratio·√v, or at most m where squares underflow:
// these are those below √(LeastNormal/keep).
func scaledReach[T apoops.Float](m, first, root, eps, ratio, keep float64) float64 {
	lost := math.Sqrt(array.LeastNormal[T]() / keep)
	if !array.Within[T](m * first) {
		return math.Inf(1)
	}
	const rounding = 2
	return rounding * min(m*first/eps, ratio*first/root+lost*first/eps)
}

// averageRatio bounds |m|/√v, where m averages numbers with beta1 and v their squares with
// beta2, by the inequality of Cauchy and Schwarz.
func averageRatio(beta1, beta2 float64) float64 {
	rest := beta2 - beta1*beta1
	if !(rest > 0) {
		return math.Inf(1)
	}
	return (1 - beta1) * math.Sqrt(beta2/((1-beta2)*rest))
}
