package apoops

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/lowrank"
)

// PreconditionLowRank is U = P_B·G·P_A with sides of low rank r plus a multiple of the
// identity, see package lowrank. For G of n×m the operands phi are V_B (n×r), C_B (r×r)
// and p_B (of one element), then those of P_A; of a side that is dense for that rank
// there is C alone. G is a constant. With X = G·P_A, Z = P_B·G and K = C - pI the
// gradients are
//
//	dC_B = VᵀdU (VᵀX)ᵀ,  dp_B = <dU, X> - <VᵀdU, VᵀX>,  dV_B = dU(XᵀV)Kᵀ + X(dUᵀV)K
//	dC_A = (ZV)ᵀdU V,    dp_A = <dU, Z> - <dU V, ZV>,   dV_A = Zᵀ(dU V)Kᵀ + dUᵀ(ZV)K
func PreconditionLowRank(g *gorgonia.Node, rank int, phi ...*gorgonia.Node) (*gorgonia.Node, error) {
	return applyFloat(&preconditionLowRank[float32]{rank: rank}, &preconditionLowRank[float64]{rank: rank}, append(gorgonia.Nodes{g}, phi...)...)
}

type preconditionLowRank[T Float] struct {
	rank int
	mul  lowrank.Multiplier[T]
}

func (k *preconditionLowRank[T]) name() string { return fmt.Sprintf("preconditionLowRank%d", k.rank) }
func (k *preconditionLowRank[T]) clone() kernel[T] {
	return &preconditionLowRank[T]{rank: k.rank}
}

func (k *preconditionLowRank[T]) wrt() []bool {
	return []bool{false, true, true, true, true, true, true}
}

// sides are those of P for a gradient of that shape.
func (k *preconditionLowRank[T]) sides(g tensor.Shape) (b, a lowrank.Side) {
	return lowrank.Side{Size: g[0], Rank: k.rank}, lowrank.Side{Size: g[1], Rank: k.rank}
}

func (k *preconditionLowRank[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantMatrix(in[0], "G"); err != nil {
		return nil, err
	}
	if k.rank < 1 {
		return nil, errors.Errorf("the rank is %d", k.rank)
	}
	b, a := k.sides(in[0])
	want := append(lowRankShapes(b), lowRankShapes(a)...)
	if len(in) != 1+len(want) {
		return nil, errors.Errorf("%d arrays of φ for a gradient of %v, not %d", len(in)-1, in[0], len(want))
	}
	for i, s := range want {
		if !in[i+1].Eq(s) {
			return nil, errors.Errorf("array %d of φ has shape %v, not %v", i, in[i+1], s)
		}
	}
	return in[0].Clone(), nil
}

// lowRankShapes are those of V, C and p, or of C of a dense side.
func lowRankShapes(s lowrank.Side) []tensor.Shape {
	c := tensor.Shape{s.Core(), s.Core()}
	if s.Dense() {
		return []tensor.Shape{c}
	}
	return []tensor.Shape{{s.Size, s.Rank}, c, {1}}
}

// lowRankMatrices are P_B and P_A in arrays one after the other.
func lowRankMatrices[T Float](b, a lowrank.Side, phi [][]T) (pb, pa lowrank.Matrix[T]) {
	next := func(s lowrank.Side) lowrank.Matrix[T] {
		m := lowrank.Matrix[T]{Side: s, C: phi[0]}
		if s.Dense() {
			phi = phi[1:]
			return m
		}
		m.V, m.C, m.P = phi[0], phi[1], phi[2]
		phi = phi[3:]
		return m
	}
	pb = next(b)
	return pb, next(a)
}

func (k *preconditionLowRank[T]) run(args *args[T]) error {
	b, a := k.sides(args.shapes[0])
	pb, pa := lowRankMatrices(b, a, args.in[1:])
	k.mul.Gradient(args.out, args.in[0], pb, pa)
	return nil
}

func (k *preconditionLowRank[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	// The gradient by the first array does the work for all; the others take it as
	// an operand, so that they run after it.
	first := &lowRankGrad[T]{of: k}
	d, err := apply(first, append(append(gorgonia.Nodes{}, in...), dout)...)
	if err != nil {
		return nil, err
	}
	all := gorgonia.Nodes{nil, d}
	for i := 2; i < len(in); i++ {
		part, err := apply(&lowRankGradPart[T]{of: first, i: i - 1}, d, in[i])
		if err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	return all, nil
}

// lowRankGrad is the gradient by the first array of φ; its operands are those of
// preconditionLowRank and dU.
type lowRankGrad[T Float] struct {
	noGradient[T]
	of       *preconditionLowRank[T]
	x, z     []T
	xv, dv   []T // XᵀV and dUᵀV
	k, cross []T
	sum      blas.Inner[T]
	d        [][]T
}

func (k *lowRankGrad[T]) name() string     { return "lowRankGrad" }
func (k *lowRankGrad[T]) clone() kernel[T] { return &lowRankGrad[T]{of: k.of} }

func (k *lowRankGrad[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), sameShape(in[0], in[len(in)-1])
}

func (k *lowRankGrad[T]) run(args *args[T]) error {
	b, a := k.of.sides(args.shapes[0])
	last := len(args.in) - 1
	pb, pa := lowRankMatrices(b, a, args.in[1:last])
	g, du := args.in[0], args.in[last]
	if k.d == nil {
		for _, phi := range args.in[1:last] {
			k.d = append(k.d, make([]T, len(phi)))
		}
		k.x, k.z = make([]T, len(g)), make([]T, len(g))
	}
	k.of.mul.Rows(k.x, g, b.Size, pa)
	k.of.mul.Columns(k.z, g, a.Size, pb)
	db, da := lowRankMatrices(b, a, k.d)
	k.byP(db, pb, k.x, du, a.Size, false)
	k.byP(da, pa, du, k.z, b.Size, true) // <dU, Z·P> = <Zᵀ, P·dUᵀ>
	copy(args.out, k.d[0])
	return nil
}

// byP are the gradients by P of <dU, P·X> for X and dU of m×n, or of n×m where they are
// transposed.
func (k *lowRankGrad[T]) byP(d, p lowrank.Matrix[T], x, du []T, n int, transposed bool) {
	m, r := p.Size, p.Rank
	ld := n
	if transposed {
		ld = m
	}
	if p.Dense() {
		blas.Gemm(transposed, !transposed, m, m, n, 1, du, ld, x, ld, 0, d.C, m)
		return
	}
	k.xv, k.dv = sized(k.xv, n*r), sized(k.dv, n*r) // XᵀV and dUᵀV
	blas.Gemm(!transposed, false, n, r, m, 1, x, ld, p.V, r, 0, k.xv, r)
	blas.Gemm(!transposed, false, n, r, m, 1, du, ld, p.V, r, 0, k.dv, r)
	blas.Gemm(true, false, r, r, n, 1, k.dv, r, k.xv, r, 0, d.C, r)
	d.P[0] = T(k.sum.Product(du, x) - k.sum.Product(k.dv, k.xv))
	k.k, k.cross = p.Excess(k.k), sized(k.cross, n*r)
	blas.Gemm(false, true, n, r, r, 1, k.xv, r, k.k, r, 0, k.cross, r)
	blas.Gemm(transposed, false, m, r, n, 1, du, ld, k.cross, r, 0, d.V, r)
	blas.Gemm(false, false, n, r, r, 1, k.dv, r, k.k, r, 0, k.cross, r)
	blas.Gemm(transposed, false, m, r, n, 1, x, ld, k.cross, r, 1, d.V, r)
}

// lowRankGradPart is the gradient by array i of φ; its operands are the gradient by the
// first one, and the array.
type lowRankGradPart[T Float] struct {
	noGradient[T]
	of *lowRankGrad[T]
	i  int
}

func (k *lowRankGradPart[T]) name() string { return fmt.Sprintf("lowRankGrad%d", k.i) }
func (k *lowRankGradPart[T]) clone() kernel[T] {
	return &lowRankGradPart[T]{of: k.of, i: k.i}
}

func (k *lowRankGradPart[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), nil
}

func (k *lowRankGradPart[T]) run(args *args[T]) error {
	copy(args.out, k.of.d[k.i])
	return nil
}
