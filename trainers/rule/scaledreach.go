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
