package apoops

import (
	"strconv"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Minus is a - b for nodes of one shape.
func Minus(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&minus[float32]{wrtA: true}, &minus[float64]{wrtA: true}, a, b)
}

// Lookahead is θ' = θ - u with θ held constant.
func Lookahead(theta, u *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&minus[float32]{}, &minus[float64]{}, theta, u)
}

// ScaledLookahead is θ' = θ - ε·u for a scalar ε, with θ and ε held constant.
func ScaledLookahead(theta, u, epsilon *gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&minus[float32]{}, &minus[float64]{}, theta, u, epsilon)
}

// minus is the kernel a - b, or a - c·b for a scalar third operand c.
type minus[T Float] struct {
	wrtA bool
	c    T
	a    *args[T]
	body func(lo, hi int)
}

func (k *minus[T]) name() string     { return "minus" }
func (k *minus[T]) wrt() []bool      { return []bool{k.wrtA, true} }
func (k *minus[T]) clone() kernel[T] { return &minus[T]{wrtA: k.wrtA} }

func (k *minus[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) == 3 && !in[2].IsScalar() {
		return nil, errors.Errorf("ε has shape %v, not that of a scalar", in[2])
	}
	return in[0].Clone(), sameShape(in[0], in[1])
}

func (k *minus[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = func(lo, hi int) {
			out, x, y := k.a.out[lo:hi], k.a.in[0][lo:hi], k.a.in[1][lo:hi]
			for i, v := range x {
				out[i] = v - k.c*y[i]
			}
		}
	}
	k.a, k.c = a, 1
	if len(a.in) == 3 {
		k.c = a.in[2][0]
	}
	par.For(len(a.out), par.Grain, k.body)
	return nil
}

func (k *minus[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	operands := append(gorgonia.Nodes{dout}, in[2:]...)
	db, err := apply(&times[T]{factor: -1}, operands...)
	if err != nil {
		return nil, err
	}
	ret := make(gorgonia.Nodes, len(in))
	ret[1] = db
	if k.wrtA {
		ret[0], err = apply(&times[T]{factor: 1}, dout)
	}
	return ret, err
}

// HalfSquaredNorm is ½ Σ_i ‖u_i‖² of nodes of any shapes: the weight-space
// discrepancy of the updates u_i.
func HalfSquaredNorm(u ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(u) == 0 {
		return nil, errors.New("apoops: halfSquaredNorm: no operand")
	}
	n := len(u)
	return applyFloat(&halfSquaredNorm[float32]{n: n}, &halfSquaredNorm[float64]{n: n}, u...)
}

type halfSquaredNorm[T Float] struct {
	n   int
	sum blas.Inner[T]
}

func (k *halfSquaredNorm[T]) name() string     { return "halfSquaredNorm" }
func (k *halfSquaredNorm[T]) clone() kernel[T] { return &halfSquaredNorm[T]{n: k.n} }

func (k *halfSquaredNorm[T]) wrt() []bool {
	all := make([]bool, k.n)
	for i := range all {
		all[i] = true
	}
	return all
}

func (k *halfSquaredNorm[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (k *halfSquaredNorm[T]) run(a *args[T]) error {
	var total float64
	for _, u := range a.in {
		total += k.sum.Product(u, u)
	}
	a.out[0] = T(total / 2)
	return nil
}

func (k *halfSquaredNorm[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	ret := make(gorgonia.Nodes, len(in))
	for i, u := range in {
		du, err := apply(&times[T]{factor: 1}, u, dout)
		if err != nil {
			return nil, err
		}
		ret[i] = du
	}
	return ret, nil
}

// RateWSD is the weight-space discrepancy of RateStep's update of several
// parameters that share a rate:
//
//	½‖θ'-θ‖² = ½ (s·e^φ)² Σ_i ‖d_i + Σ_j Δ_j·t_ij‖²
//
// Here by are the scalars Δ_j, and tangents[j] has the t_ij of each d_i; both may be nil. As
// in RateStep, a tangent with Δ_j = 0 has no part in the value, whatever it is.
func RateWSD(phi, s *gorgonia.Node, linear bool, d, by gorgonia.Nodes, tangents []gorgonia.Nodes) (*gorgonia.Node, error) {
	if len(d) == 0 {
		return nil, errors.New("apoops: rateWSD: no direction")
	}
	if len(tangents) != len(by) {
		return nil, errors.Errorf("apoops: rateWSD: %d lists of tangents for %d Δ", len(tangents), len(by))
	}
	in := append(append(gorgonia.Nodes{phi, s}, by...), d...)
	for j, t := range tangents {
		if len(t) != len(d) {
			return nil, errors.Errorf("apoops: rateWSD: %d tangents for Δ %d and %d directions", len(t), j, len(d))
		}
		in = append(in, t...)
	}
	n := len(by)
	return applyFloat(&rateWSD[float32]{linear: linear, tangents: n}, &rateWSD[float64]{linear: linear, tangents: n}, in...)
}

// rateWSD has the inner products of c_0 = d and the tangents c_j = t_j, each over all
// parameters: with w = (1, Δ) it is ½r²·wᵀCw for C_jk = Σ_i <c_ji, c_ki>.
type rateWSD[T Float] struct {
	linear   bool
	tangents int
	sum      blas.Inner[T]
	w, half  []float64 // w and C·w
	norm2    float64   // wᵀCw
}

func (k *rateWSD[T]) name() string     { return rateName("rateWSD", k.linear, k.tangents) }
func (k *rateWSD[T]) clone() kernel[T] { return &rateWSD[T]{linear: k.linear, tangents: k.tangents} }

func (k *rateWSD[T]) wrt() []bool {
	all := []bool{true, false}
	for range k.tangents {
		all = append(all, true)
	}
	return all
}

func (k *rateWSD[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	for i, s := range in[:2+k.tangents] {
		if !s.IsScalar() {
			return nil, errors.Errorf("operand %d of φ, s and Δ has shape %v, not that of a scalar", i, s)
		}
	}
	c := in[2+k.tangents:]
	n := len(c) / (1 + k.tangents)
	for i := n; i < len(c); i++ {
		if err := sameShape(c[i%n], c[i]); err != nil {
			return nil, err
		}
	}
	return tensor.ScalarShape(), nil
}

func (k *rateWSD[T]) run(a *args[T]) error {
	if k.w == nil {
		k.w, k.half = make([]float64, 1+k.tangents), make([]float64, 1+k.tangents)
	}
	c, w := a.in[2+k.tangents:], k.w
	w[0] = 1
	for j, by := range a.in[2 : 2+k.tangents] {
		w[1+j] = float64(by[0])
	}
	n := len(c) / len(w)
	k.norm2 = 0
	for j := range w {
		k.half[j] = 0
		for l := range w {
			if w[l] == 0 {
				continue
			}
			for i := range n {
				k.half[j] += w[l] * k.sum.Product(c[j*n+i], c[l*n+i])
			}
		}
		if w[j] != 0 {
			k.norm2 += w[j] * k.half[j]
		}
	}
	r, _ := rate(a.in[0], a.in[1], k.linear)
	a.out[0] = T(r * r * k.norm2 / 2)
	return nil
}

func (k *rateWSD[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	ret := make(gorgonia.Nodes, len(in))
	var err error
	if ret[0], err = apply(&rateWSDGrad[T]{of: k, tangent: -1}, out, dout, in[0], in[1]); err != nil {
		return nil, err
	}
	for j := range k.tangents {
		if ret[2+j], err = apply(&rateWSDGrad[T]{of: k, tangent: j}, out, dout, in[0], in[1]); err != nil {
			return nil, err
		}
	}
	return ret, nil
}

// rateWSDGrad is the kernel dφ = r·(∂r/∂φ)·wᵀCw·dout or, for a tangent,
// dΔ_j = r²·(C·w)_j·dout.
type rateWSDGrad[T Float] struct {
	noGradient[T]
	of      *rateWSD[T]
	tangent int // -1 for φ
}

func (k *rateWSDGrad[T]) name() string {
	return rateName("rateWSDGrad", k.of.linear, k.of.tangents) + "/" + strconv.Itoa(k.tangent)
}

func (k *rateWSDGrad[T]) clone() kernel[T] {
	return &rateWSDGrad[T]{of: k.of, tangent: k.tangent}
}

func (k *rateWSDGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (k *rateWSDGrad[T]) run(a *args[T]) error {
	r, dr := rate(a.in[2], a.in[3], k.of.linear)
	d := r * dr * k.of.norm2
	if k.tangent >= 0 {
		d = r * r * k.of.half[1+k.tangent]
	}
	a.out[0] = T(d * float64(a.in[1][0]))
	return nil
}
