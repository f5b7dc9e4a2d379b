package precond

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// trustRegion measures what an update P·G does to the network, so that its
// length can be limited in function space. A meta-step that looked ahead by a part
// ε of an update U gives
//
//	ρ = D_F(θ-εU, θ)/(ε²·½‖U‖²),
//
// with which a step νU of another mini-batch changes the network by about
// ν²·ρ·½‖U‖².
type trustRegion struct {
	limit     float64   // of the discrepancy; 0 for none
	curvature []float64 // ρ, a running geometric mean; 0 before the first
}

// keepCurvature is the weight of the old mean.
const keepCurvature = 0.8

func newTrustRegion(limit float64) trustRegion {
	return trustRegion{limit: limit, curvature: []float64{0}}
}

// measure takes in a meta-step's discrepancy and ½‖U‖².
func (r *trustRegion) measure(fsd, wsd, epsilon float64) {
	now := fsd / (epsilon * epsilon * wsd)
	if !(now > 0) || math.IsInf(now, 0) {
		return
	}
	if r.curvature[0] > 0 {
		now = math.Pow(r.curvature[0], keepCurvature) * math.Pow(now, 1-keepCurvature)
	}
	r.curvature[0] = now
}

// factor is ν = min(1, √(limit/(ρ·½‖U‖²))), given ‖U‖².
func (r *trustRegion) factor(squares float64) float64 {
	return rule.KLClip(r.limit, r.curvature[0]*squares/2)
}

// trust is the factor ν on the update that keeps the change of the network small.
func (u *plainUpdate[T]) trust(step int) float64 {
	if u.region.limit > 0 {
		return u.region.factor(u.products(func(b *block) *tensor.Dense { return b.u }))
	}
	limit := u.c.Clip * u.fsd(step)
	if limit == 0 {
		return 1
	}
	return rule.KLClip(limit, u.products(func(b *block) *tensor.Dense { return b.input(u.c.MomentumMode) }))
}

// products is Σ<x, U> over the blocks.
func (u *plainUpdate[T]) products(x func(*block) *tensor.Dense) (sum float64) {
	for _, b := range u.blocks {
		sum += u.sum.Product(apoops.Elements[T](x(b)), apoops.Elements[T](b.u))
	}
	return sum
}
