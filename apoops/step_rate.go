package apoops

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// RateStep moves weights along a direction at a rate that is learned:
//
//	θ' = θ - s·e^φ·d   or, with linear set, θ' = θ - s·φ·d
//
// θ and d have one shape; φ and s are scalars, s the schedule's factor. θ, d
// and s are constants; the gradient of φ is -s·e^φ·<d, dθ'>.
func RateStep(theta, d, phi, s *gorgonia.Node, linear bool) (*gorgonia.Node, error) {
	return applyFloat(&rateStep[float32]{linear: linear}, &rateStep[float64]{linear: linear}, theta, d, phi, s)
}

// RateWSD is the weight-space discrepancy of RateStep's update of several
// parameters that share a rate:
//
//	½‖θ'-θ‖² = ½ (s·e^φ)² Σ_i ‖d_i‖²
func RateWSD(phi, s *gorgonia.Node, linear bool, d ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(d) == 0 {
		return nil, errors.New("apoops: rateWSD: no direction")
	}
	return applyFloat(&rateWSD[float32]{linear: linear}, &rateWSD[float64]{linear: linear}, append(gorgonia.Nodes{phi, s}, d...)...)
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
	linear bool
	a      *args[T]
	r      T
	body   func(lo, hi int)
}

func (k *rateStep[T]) name() string     { return rateName("rateStep", k.linear) }
func (k *rateStep[T]) wrt() []bool      { return []bool{false, false, true, false} }
func (k *rateStep[T]) clone() kernel[T] { return &rateStep[T]{linear: k.linear} }

func (k *rateStep[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if !in[2].IsScalar() || !in[3].IsScalar() {
		return nil, errors.Errorf("φ and s have shapes %v and %v, not scalars", in[2], in[3])
	}
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *rateStep[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			out := k.a.out[lo:hi]
			copy(out, k.a.in[0][lo:hi])
			blas.Axpy(-k.r, k.a.in[1][lo:hi], out)
		}
	}
	r, _ := rate(a.in[2], a.in[3], k.linear)
	k.a, k.r = a, T(r)
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *rateStep[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	dphi, err := apply(&rateStepGrad[T]{linear: k.linear}, in[1], dout, in[2], in[3])
	return gorgonia.Nodes{nil, nil, dphi, nil}, err
}

// rateStepGrad is the kernel dφ = -(∂r/∂φ)·<d, dθ'>.
type rateStepGrad[T Float] struct {
	noGradient[T]
	linear bool
	sum    blas.Inner[T]
}

func (k *rateStepGrad[T]) name() string     { return rateName("rateStepGrad", k.linear) }
func (k *rateStepGrad[T]) clone() kernel[T] { return &rateStepGrad[T]{linear: k.linear} }

func (k *rateStepGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), sameShape(in[0], in[1])
}

func (k *rateStepGrad[T]) run(a *args[T]) error {
	_, dr := rate(a.in[2], a.in[3], k.linear)
	a.out[0] = T(-dr * k.sum.Product(a.in[0], a.in[1]))
	return nil
}

type rateWSD[T Float] struct {
	linear bool
	sum    blas.Inner[T]
	norm2  float64 // Σ‖d‖²
}

func (k *rateWSD[T]) name() string     { return rateName("rateWSD", k.linear) }
func (k *rateWSD[T]) wrt() []bool      { return []bool{true} }
func (k *rateWSD[T]) clone() kernel[T] { return &rateWSD[T]{linear: k.linear} }

func (k *rateWSD[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if !in[0].IsScalar() || !in[1].IsScalar() {
		return nil, errors.Errorf("φ and s have shapes %v and %v, not scalars", in[0], in[1])
	}
	return tensor.ScalarShape(), nil
}

func (k *rateWSD[T]) run(a *args[T]) error {
	k.norm2 = 0
	for _, d := range a.in[2:] {
		k.norm2 += k.sum.Product(d, d)
	}
	r, _ := rate(a.in[0], a.in[1], k.linear)
	a.out[0] = T(r * r * k.norm2 / 2)
	return nil
}

func (k *rateWSD[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	ret := make(gorgonia.Nodes, len(in))
	var err error
	ret[0], err = apply(&rateWSDGrad[T]{of: k}, out, dout, in[0], in[1])
	return ret, err
}

// rateWSDGrad is the kernel dφ = r·(∂r/∂φ)·Σ‖d‖²·dout.
type rateWSDGrad[T Float] struct {
	noGradient[T]
	of *rateWSD[T]
}

func (k *rateWSDGrad[T]) name() string     { return rateName("rateWSDGrad", k.of.linear) }
func (k *rateWSDGrad[T]) clone() kernel[T] { return &rateWSDGrad[T]{of: k.of} }

func (k *rateWSDGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (k *rateWSDGrad[T]) run(a *args[T]) error {
	r, dr := rate(a.in[2], a.in[3], k.of.linear)
	a.out[0] = T(r * dr * k.of.norm2 * float64(a.in[1][0]))
	return nil
}

func rateName(name string, linear bool) string {
	if linear {
		return name + ".linear"
	}
	return name
}
