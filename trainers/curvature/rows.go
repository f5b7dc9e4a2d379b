package curvature

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// factored is a preconditioner that can go without the gradient G = XᵀZ of a layer:
// products with its rows X and Z are cheaper where the batch is small beside the layer.
// The results are those of precondition up to rounding.
type factored[T apoops.Float] interface {
	// wantsRows reports whether that takes fewer multiplications for n rows.
	wantsRows(i, n int) bool
	// plain reports whether block i gets the plain gradient.
	plain(i int) bool
	// prepare computes what add needs of P(G) for block i and returns <P(G), G>.
	prepare(i int, s *array.RowStep[T]) float64
	// add is v ← mu·v + nu·P(G).
	add(i int, s *array.RowStep[T], v []T, mu, nu T)
}

// Rows is the rule itself, nil for one that needs gradients.
func (b *blockwise[T]) Rows() graph.RowReader {
	if b.f == nil {
		return nil
	}
	return b
}

// RowBlocks implements graph.RowReader.
func (b *blockwise[T]) RowBlocks() []graph.Block {
	var all []graph.Block
	for _, k := range b.blocks {
		all = append(all, k.Block)
	}
	return all
}

// WantsRows implements graph.RowReader.
func (b *blockwise[T]) WantsRows(i, n int) bool { return b.f.wantsRows(i, n) }

// preconditionedRows is preconditioned for a block with rows. Where the gradient takes
// the place of P(G) it is computed after all.
func (b *blockwise[T]) preconditionedRows(i int, r graph.Rows) (product float64, ok bool) {
	k, plain := b.blocks[i], b.f.plain(i)
	if !plain {
		k.step.Begin(r)
		if product = b.f.prepare(i, &k.step); array.IsFinite(product) {
			return product, true
		}
	}
	k.fromRows = false
	graph.FormGradient(k.d, r)
	return b.inner.Product(k.d, k.d), plain
}

// form makes the gradient of a block that has rows.
func (k *gradientBlock[T]) form(r graph.Rows) {
	if k.formed == nil {
		k.formed = make([]T, k.Rows*k.Cols)
	}
	graph.FormGradient(k.formed, r)
	k.g, k.fromRows = k.formed, false
}

// wantsRows is about products with dense matrices of both sides.
func (c *curvature[T]) wantsRows(i, n int) bool {
	l := c.byBlock[i]
	return l != nil && array.RowsCheaper(n, l.Rows, l.Cols, l.Rows*l.Rows, l.Cols*l.Cols)
}

// prepare computes XĀ⁻¹ and ZḠ⁻¹.
func (k *kfac[T]) prepare(i int, s *array.RowStep[T]) float64 {
	v := k.inverses[i]
	blas.Gemm(false, false, s.N, v.rows, v.rows, 1, s.X, v.rows, v.a, v.rows, 0, s.XP, v.rows)
	blas.Gemm(false, false, s.N, v.cols, v.cols, 1, s.Z, v.cols, v.g, v.cols, 0, s.ZP, v.cols)
	return s.Product()
}

// add is v ← mu·v + nu·(XĀ⁻¹)ᵀ(ZḠ⁻¹).
func (k *kfac[T]) add(_ int, s *array.RowStep[T], v []T, mu, nu T) { s.Average(v, mu, nu) }

// prepare computes E = (XU_Aᵀ)ᵀ(ZU_Gᵀ), the gradient in the bases, and from it
// <P(G), G> = Σ E²/(S + λ).
func (k *ekfac[T]) prepare(i int, s *array.RowStep[T]) float64 {
	b := k.bases[i]
	n, m := b.rows, b.cols
	blas.Gemm(false, true, s.N, n, n, 1, s.X, n, b.ua, n, 0, s.XP, n)
	blas.Gemm(false, true, s.N, m, m, 1, s.Z, m, b.ug, m, 0, s.ZP, m)
	blas.Gemm(true, false, n, m, s.N, 1, s.XP, n, s.ZP, m, 0, b.x, m)
	copy(b.half, b.x)
	k.now = b
	par.For(n*m, par.Grain, k.divide)
	return k.inner.Product(b.half, b.x)
}

// add goes back from the bases: v ← mu·v + nu·U_Aᵀ(E/(S + λ))U_G.
func (k *ekfac[T]) add(i int, _ *array.RowStep[T], v []T, mu, nu T) {
	b := k.bases[i]
	n, m := b.rows, b.cols
	blas.Gemm(true, false, n, m, n, 1, b.ua, n, b.x, m, 0, b.half, m)
	blas.Gemm(false, false, n, m, m, nu, b.half, m, b.ug, m, mu, v, m)
}

// wantsRows is about the products with the bases: those back from them are the same.
func (k *ekfac[T]) wantsRows(i, n int) bool {
	l := k.byBlock[i]
	if l == nil {
		return false
	}
	in, out := float64(l.Rows), float64(l.Cols)
	return float64(n)*(in*in+out*out) < in*out*(in+out)
}
