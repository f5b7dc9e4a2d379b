package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Precondition multiplies a gradient by the structured preconditioner of
// Eq. 9, P = (A⊗B) diag(vec S)² (A⊗B)ᵀ, in the form of Eq. 10:
//
//	U = B (S² ∘ BᵀGA) Aᵀ
//
// For a weight matrix of n rows (inputs, the bias row included) and m columns
// (outputs) A is m×m, B n×n, S and G n×m, and so is the result. With
// X = BᵀGA, N = S²∘X and dU the gradient of the result the gradients are
//
//	dN = BᵀdU A,  dX = S²∘dN,  dS = 2 S∘X∘dN,
//	dB = dU A Nᵀ + G A dXᵀ,  dA = dUᵀ B N + Gᵀ B dX,  dG = B dX Aᵀ.
//
// dG is not computed if G is an input of the graph.
func Precondition(a, b, s, g *gorgonia.Node) (*gorgonia.Node, error) {
	if a == nil || b == nil || s == nil || g == nil {
		return nil, errors.New("apoops: precondition: A, B, S or G is nil")
	}
	requiresGrad := !isInput(g)
	return applyFloat(&precondition[float32]{requiresGrad: requiresGrad}, &precondition[float64]{requiresGrad: requiresGrad}, a, b, s, g)
}

// precondition is the kernel of Precondition. It keeps what its gradient
// needs.
type precondition[T Float] struct {
	requiresGrad bool // G is no input of the graph, so its gradient is needed
	n, m         int
	ga           []T // GA
	x            []T // BᵀGA
	sx           []T // N = S²∘X
	bn           []T // BN
	s            []T
	scale        func(lo, hi int)
}

func (k *precondition[T]) name() string     { return "precondition" }
func (k *precondition[T]) wrt() []bool      { return []bool{true, true, true, k.requiresGrad} }
func (k *precondition[T]) clone() kernel[T] { return &precondition[T]{requiresGrad: k.requiresGrad} }

func (k *precondition[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	a, b, s, g := in[0], in[1], in[2], in[3]
	if err := wantMatrix(g, "G"); err != nil {
		return nil, err
	}
	n, m := g[0], g[1]
	switch {
	case !s.Eq(g):
		return nil, errors.Errorf("S has shape %v, G %v", s, g)
	case !a.Eq(tensor.Shape{m, m}):
		return nil, errors.Errorf("A has shape %v; G of shape %v needs %d×%d", a, g, m, m)
	case !b.Eq(tensor.Shape{n, n}):
		return nil, errors.Errorf("B has shape %v; G of shape %v needs %d×%d", b, g, n, n)
	}
	return g.Clone(), nil
}

func (k *precondition[T]) run(args *args[T]) error {
	k.multiply(args)
	return nil
}

func (k *precondition[T]) multiply(args *args[T]) {
	a, b, g := args.in[0], args.in[1], args.in[3]
	k.s = args.in[2]
	k.n, k.m = args.shapes[3][0], args.shapes[3][1]
	n, m := k.n, k.m
	k.ga, k.x, k.sx, k.bn = sized(k.ga, n*m), sized(k.x, n*m), sized(k.sx, n*m), sized(k.bn, n*m)
	if k.scale == nil {
		k.scale = func(lo, hi int) {
			x, s, sx := k.x[lo:hi], k.s[lo:hi], k.sx[lo:hi]
			for i, v := range x {
				sx[i] = s[i] * s[i] * v
			}
		}
	}
	blas.Gemm(false, false, n, m, m, 1, g, m, a, m, 0, k.ga, m)
	blas.Gemm(true, false, n, m, n, 1, b, n, k.ga, m, 0, k.x, m)
	par.For(n*m, par.Grain, k.scale)
	blas.Gemm(false, false, n, m, n, 1, b, n, k.sx, m, 0, k.bn, m)
	blas.Gemm(false, true, n, m, m, 1, k.bn, m, a, m, 0, args.out, m)
}

func (k *precondition[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	// dA does the common work; dB, dS and dG take it as an operand, so that they
	// run after it.
	first := &preconditionGradA[T]{of: k}
	da, err := apply(first, in[0], in[1], in[2], in[3], out, dout)
	if err != nil {
		return nil, err
	}
	db, err := apply(&preconditionGradB[T]{of: first}, da, in[1])
	if err != nil {
		return nil, err
	}
	ds, err := apply(&preconditionGradS[T]{of: first}, da, in[2])
	if err != nil {
		return nil, err
	}
	var dg *gorgonia.Node
	if k.requiresGrad {
		if dg, err = apply(&preconditionGradG[T]{of: first}, da, in[0], in[3]); err != nil {
			return nil, err
		}
	}
	return gorgonia.Nodes{da, db, ds, dg}, nil
}

// preconditionGradA is the kernel dA = dUᵀBN + GᵀB dX of Precondition. On the
// way it computes what the other gradients share. Its operands are A, B, S, G,
// U and dU.
type preconditionGradA[T Float] struct {
	noGradient[T]
	of    *precondition[T]
	dua   []T // dU A
	dn    []T // BᵀdU A
	dx    []T // S²∘dN
	ds    []T // 2 S∘X∘dN
	bdx   []T // B dX
	scale func(lo, hi int)
}

func (k *preconditionGradA[T]) name() string     { return "preconditionGradA" }
func (k *preconditionGradA[T]) clone() kernel[T] { return &preconditionGradA[T]{of: k.of} }

func (k *preconditionGradA[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[4], in[5])
}

func (k *preconditionGradA[T]) run(args *args[T]) error {
	a, b, g, du := args.in[0], args.in[1], args.in[3], args.in[5]
	p, n, m := k.of, k.of.n, k.of.m
	k.dua, k.dn, k.dx = sized(k.dua, n*m), sized(k.dn, n*m), sized(k.dx, n*m)
	k.ds, k.bdx = sized(k.ds, n*m), sized(k.bdx, n*m)
	if k.scale == nil {
		k.scale = func(lo, hi int) {
			dn, dx, ds := k.dn[lo:hi], k.dx[lo:hi], k.ds[lo:hi]
			s, x := p.s[lo:hi], p.x[lo:hi]
			for i, v := range dn {
				dx[i] = s[i] * s[i] * v
				ds[i] = 2 * s[i] * x[i] * v
			}
		}
	}
	blas.Gemm(false, false, n, m, m, 1, du, m, a, m, 0, k.dua, m)
	blas.Gemm(true, false, n, m, n, 1, b, n, k.dua, m, 0, k.dn, m)
	par.For(n*m, par.Grain, k.scale)
	blas.Gemm(false, false, n, m, n, 1, b, n, k.dx, m, 0, k.bdx, m)
	blas.Gemm(true, false, m, m, n, 1, du, m, p.bn, m, 0, args.out, m)
	blas.Gemm(true, false, m, m, n, 1, g, m, k.bdx, m, 1, args.out, m)
	return nil
}

// preconditionGradB is the kernel dB = dU A Nᵀ + GA dXᵀ; its operands are dA
// and B.
type preconditionGradB[T Float] struct {
	noGradient[T]
	of *preconditionGradA[T]
}

func (k *preconditionGradB[T]) name() string     { return "preconditionGradB" }
func (k *preconditionGradB[T]) clone() kernel[T] { return &preconditionGradB[T]{of: k.of} }

func (k *preconditionGradB[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), nil
}

func (k *preconditionGradB[T]) run(args *args[T]) error {
	p, n, m := k.of.of, k.of.of.n, k.of.of.m
	blas.Gemm(false, true, n, n, m, 1, k.of.dua, m, p.sx, m, 0, args.out, n)
	blas.Gemm(false, true, n, n, m, 1, p.ga, m, k.of.dx, m, 1, args.out, n)
	return nil
}

// preconditionGradS is the kernel dS = 2 S∘X∘dN; its operands are dA and S.
type preconditionGradS[T Float] struct {
	noGradient[T]
	of *preconditionGradA[T]
}

func (k *preconditionGradS[T]) name() string     { return "preconditionGradS" }
func (k *preconditionGradS[T]) clone() kernel[T] { return &preconditionGradS[T]{of: k.of} }

func (k *preconditionGradS[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), nil
}

func (k *preconditionGradS[T]) run(args *args[T]) error {
	copy(args.out, k.of.ds)
	return nil
}

// preconditionGradG is the kernel dG = B dX Aᵀ; its operands are dA, A and G.
type preconditionGradG[T Float] struct {
	noGradient[T]
	of *preconditionGradA[T]
}

func (k *preconditionGradG[T]) name() string     { return "preconditionGradG" }
func (k *preconditionGradG[T]) clone() kernel[T] { return &preconditionGradG[T]{of: k.of} }

func (k *preconditionGradG[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[2].Clone(), nil
}

func (k *preconditionGradG[T]) run(args *args[T]) error {
	n, m := k.of.of.n, k.of.of.m
	blas.Gemm(false, true, n, m, m, 1, k.of.bdx, m, args.in[1], m, 0, args.out, m)
	return nil
}

// Preconditioner computes Eq. 10 outside of a graph, with the arithmetic of
// Precondition: dst = B(S²∘BᵀGA)Aᵀ for an n×m gradient G. The zero value is
// ready; it keeps scratch memory and must not be used by two goroutines at
// once.
type Preconditioner[T Float] struct {
	k precondition[T]
	a args[T]
}

// Multiply writes the product to dst. A has m², B n², S, g and dst n·m
// elements.
func (p *Preconditioner[T]) Multiply(dst, a, b, s, g []T, n, m int) {
	if p.a.in == nil {
		p.a.in, p.a.shapes = make([][]T, 4), make([]tensor.Shape, 4)
	}
	p.a.in[0], p.a.in[1], p.a.in[2], p.a.in[3] = a, b, s, g
	if p.k.n != n || p.k.m != m {
		p.a.shapes[3] = tensor.Shape{n, m}
	}
	p.a.out = dst
	p.k.multiply(&p.a)
}
