package apoops

import (
	"math"
	"strconv"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Tangent is how far a number ψ that a direction d depends on, such as a damping, is from
// where d was computed, and ∂d/∂ψ there: to first order the direction is d + By·D. By is a
// scalar, D has the shape of d. At By = 0 values and gradients are exact.
type Tangent struct{ By, D *gorgonia.Node }

// RateStep moves weights along a direction at a rate that is learned:
//
//	θ' = θ - s·e^φ·(d + Σ_j Δ_j·t_j)   or, with linear set, θ' = θ - s·φ·(d + Σ_j Δ_j·t_j)
//
// θ and d have one shape; φ and s are scalars, s the schedule's factor. Δ and t are the
// tangents, if any. θ, d, t and s are constants; the gradient of φ is -s·e^φ·<d, dθ'>, that
// of Δ_j is -s·e^φ·<t_j, dθ'>.
func RateStep(theta, d, phi, s *gorgonia.Node, linear bool, tangents ...Tangent) (*gorgonia.Node, error) {
	in := gorgonia.Nodes{theta, d, phi, s}
	for _, t := range tangents {
		in = append(in, t.By, t.D)
	}
	n := len(tangents)
	return applyFloat(&rateStep[float32]{linear: linear, tangents: n}, &rateStep[float64]{linear: linear, tangents: n}, in...)
}

// rate is the step size of φ and its derivative with respect to φ.
func rate[T Float](phi, s []T, linear bool) (r, dr float64) {
	p, f := float64(phi[0]), float64(s[0])
	if linear {
		return f * p, f
	}
	r = f * math.Exp(p)
	return r, r
}

type rateStep[T Float] struct {
	linear   bool
	tangents int
	a        *args[T]
	r        T
	body     func(lo, hi int)
}

func (k *rateStep[T]) name() string { return rateName("rateStep", k.linear, k.tangents) }
func (k *rateStep[T]) clone() kernel[T] {
	return &rateStep[T]{linear: k.linear, tangents: k.tangents}
}

func (k *rateStep[T]) wrt() []bool {
	all := []bool{false, false, true, false}
	for range k.tangents {
		all = append(all, true, false)
	}
	return all
}

func (k *rateStep[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if !in[2].IsScalar() || !in[3].IsScalar() {
		return nil, errors.Errorf("φ and s have shapes %v and %v, not scalars", in[2], in[3])
	}
	for j := range k.tangents {
		if by := in[4+2*j]; !by.IsScalar() {
			return nil, errors.Errorf("Δ %d has shape %v, not that of a scalar", j, by)
		}
		if err := sameShape(in[0], in[5+2*j]); err != nil {
			return nil, err
		}
	}
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *rateStep[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			out := k.a.out[lo:hi]
			copy(out, k.a.in[0][lo:hi])
			blas.Axpy(-k.r, k.a.in[1][lo:hi], out)
			for j := range k.tangents {
				if by := k.a.in[4+2*j][0]; by != 0 {
					blas.Axpy(-k.r*by, k.a.in[5+2*j][lo:hi], out)
				}
			}
		}
	}
	r, _ := rate(a.in[2], a.in[3], k.linear)
	k.a, k.r = a, T(r)
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *rateStep[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	all := make(gorgonia.Nodes, len(in))
	var err error
	if all[2], err = apply(&rateStepGrad[T]{linear: k.linear, tangents: k.tangents}, append(gorgonia.Nodes{dout, in[2], in[3], in[1]}, in[4:]...)...); err != nil {
		return nil, err
	}
	for j := range k.tangents {
		if all[4+2*j], err = apply(&rateTangentGrad[T]{linear: k.linear}, dout, in[2], in[3], in[5+2*j]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// rateStepGrad is the kernel dφ = -(∂r/∂φ)·<d + Σ_j Δ_j·t_j, dθ'>.
type rateStepGrad[T Float] struct {
	noGradient[T]
	linear   bool
	tangents int
	sum      blas.Inner[T]
}

func (k *rateStepGrad[T]) name() string { return rateName("rateStepGrad", k.linear, k.tangents) }
func (k *rateStepGrad[T]) clone() kernel[T] {
	return &rateStepGrad[T]{linear: k.linear, tangents: k.tangents}
}

func (k *rateStepGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), sameShape(in[0], in[3])
}

func (k *rateStepGrad[T]) run(a *args[T]) error {
	_, dr := rate(a.in[1], a.in[2], k.linear)
	product := k.sum.Product(a.in[3], a.in[0])
	for j := range k.tangents {
		if by := a.in[4+2*j][0]; by != 0 {
			product += float64(by) * k.sum.Product(a.in[5+2*j], a.in[0])
		}
	}
	a.out[0] = T(-dr * product)
	return nil
}

// rateTangentGrad is the kernel dΔ = -r·<t, dθ'>.
type rateTangentGrad[T Float] struct {
	noGradient[T]
	linear bool
	sum    blas.Inner[T]
}

func (k *rateTangentGrad[T]) name() string     { return rateName("rateTangentGrad", k.linear, 0) }
func (k *rateTangentGrad[T]) clone() kernel[T] { return &rateTangentGrad[T]{linear: k.linear} }

func (k *rateTangentGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), sameShape(in[0], in[3])
}

func (k *rateTangentGrad[T]) run(a *args[T]) error {
	r, _ := rate(a.in[1], a.in[2], k.linear)
	a.out[0] = T(-r * k.sum.Product(a.in[3], a.in[0]))
	return nil
}

// rateName is the name of a kernel with these settings.
func rateName(name string, linear bool, tangents int) string {
	if linear {
		name += ".linear"
	}
	if tangents > 0 {
		name += "." + strconv.Itoa(tangents)
	}
	return name
}
