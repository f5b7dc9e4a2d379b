package curvature

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// KFAC and EKFAC have a damping λ that can be learned.
var (
	_ tuned[float32] = (*kfac[float32])(nil)
	_ tuned[float32] = (*ekfac[float32])(nil)
)

func (k *kfac[T]) hyperparameter() rule.Hyperparameter {
	return rule.Hyperparameter{Name: rule.Damping, Value: k.damping}
}

func (k *kfac[T]) tune() error {
	k.inverted = []float64{k.damping} // there is no inverse yet
	return nil
}

func (k *kfac[T]) set(value float64) { k.damping = value }

// renew computes the inverses anew, of the factors as they are, where they are those of
// another λ.
func (k *kfac[T]) renew() (failed int, err error) {
	if k.inverted == nil || k.inverted[0] == k.damping {
		return 0, nil
	}
	return k.invertAll()
}

// tangent follows from ∂(A + a·I)⁻¹ = -∂a·(A + a·I)⁻²: for d = A⁻¹GB⁻¹ with the damped
// factors A and B, whose dampings a = π√λ and b = √λ/π both have ∂/∂log λ = ½,
//
//	∂d/∂log λ = -½(a·A⁻¹d + b·dB⁻¹)
func (k *kfac[T]) tangent(i int, t, d []T) {
	if k.plain(i) {
		array.Fill(t, 0)
		return
	}
	v := k.inverses[i]
	n, m := v.rows, v.cols
	blas.Gemm(false, false, n, m, n, T(-v.damped[0]/2), v.a, n, d, m, 0, t, m)
	blas.Gemm(false, false, n, m, m, T(-v.damped[1]/2), d, m, v.g, m, 1, t, m)
}

func (k *ekfac[T]) hyperparameter() rule.Hyperparameter {
	return rule.Hyperparameter{Name: rule.Damping, Value: k.initial}
}

func (k *ekfac[T]) tune() error { return nil }

func (k *ekfac[T]) set(value float64) { k.damping = T(value) }

func (k *ekfac[T]) renew() (failed int, err error) { return 0, nil }

// tangent is U_A(-λ·X/(S + λ))U_Gᵀ for the preconditioned gradient X in the bases, which
// precondition has left.
func (k *ekfac[T]) tangent(i int, t, _ []T) {
	if k.plain(i) {
		array.Fill(t, 0)
		return
	}
	b := k.bases[i]
	for j, s := range b.s {
		b.x[j] *= -k.damping / (s + k.damping)
	}
	k.back(b, t)
}

// back goes back from the bases: d = U_A·X·U_Gᵀ.
func (k *ekfac[T]) back(b *basis[T], d []T) {
	n, m := b.rows, b.cols
	blas.Gemm(true, false, n, m, n, 1, b.ua, n, b.x, m, 0, b.half, m)
	blas.Gemm(false, false, n, m, m, 1, b.half, m, b.ug, m, 0, d, m)
}
