package apoops

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// preconditionGradA is the kernel dA = dUᵀBN + GᵀB dX of Precondition. On the
// way it computes what the other gradients share. Its operands are A, B, S, G,
// U and dU.
type preconditionGradA[T Float] struct {
	leaf[T]
	of    *precondition[T]
	dua   []T // dU A
	dn    []T // BᵀdU A
	dx    []T // S²∘dN
	ds    []T // 2 S∘X∘dN
	bdx   []T // B dX
	scale func(lo, hi int)
}

func (k *preconditionGradA[T]) name() string     { return "preconditionGradA" }
func (k *preconditionGradA[T]) fresh() kernel[T] { return &preconditionGradA[T]{of: k.of} }

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
	leaf[T]
	of *preconditionGradA[T]
}

func (k *preconditionGradB[T]) name() string     { return "preconditionGradB" }
func (k *preconditionGradB[T]) fresh() kernel[T] { return &preconditionGradB[T]{of: k.of} }

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
	leaf[T]
	of *preconditionGradA[T]
}

func (k *preconditionGradS[T]) name() string     { return "preconditionGradS" }
func (k *preconditionGradS[T]) fresh() kernel[T] { return &preconditionGradS[T]{of: k.of} }

func (k *preconditionGradS[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), nil
}

func (k *preconditionGradS[T]) run(args *args[T]) error {
	copy(args.out, k.of.ds)
	return nil
}

// preconditionGradG is the kernel dG = B dX Aᵀ; its operands are dA, A and G.
type preconditionGradG[T Float] struct {
	leaf[T]
	of *preconditionGradA[T]
}

func (k *preconditionGradG[T]) name() string     { return "preconditionGradG" }
func (k *preconditionGradG[T]) fresh() kernel[T] { return &preconditionGradG[T]{of: k.of} }

func (k *preconditionGradG[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[2].Clone(), nil
}

func (k *preconditionGradG[T]) run(args *args[T]) error {
	n, m := k.of.of.n, k.of.of.m
	blas.Gemm(false, true, n, m, m, 1, k.of.bdx, m, args.in[1], m, 0, args.out, m)
	return nil
}
