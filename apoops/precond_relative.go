package apoops

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// PreconditionRelative is Precondition with the factors A(I+Y_A) and B(I+Y_B),
// for gradients with respect to the relative changes Y at Y = 0:
//
//	U = B(D∘X)Aᵀ,  X = BᵀGA,  D = S²
//	dY_B = Z(D∘X)ᵀ + X(D∘Z)ᵀ,  dY_A = Zᵀ(D∘X) + Xᵀ(D∘Z),  Z = Bᵀ dU A.
//
// Where S is an outer product, S = s_B·s_Aᵀ, the second product of each gradient is the
// first one transposed and scaled, and is not computed: dY_ij = F_ij + F_ji·d_j/d_i with
// F = Z(D∘X)ᵀ and d = s_B² for dY_B, F = Zᵀ(D∘X) and d = s_A² for dY_A.
//
// Shapes are those of Precondition; Y_A is m×m and Y_B n×n. Their values are
// taken as 0 and not read. A, B, S and G are constants.
func PreconditionRelative(a, b, s, g, ya, yb *gorgonia.Node) (*gorgonia.Node, error) {
	for _, n := range []*gorgonia.Node{a, b, s, g, ya, yb} {
		if n == nil {
			return nil, errors.New("apoops: preconditionRelative: an operand is nil")
		}
	}
	return applyFloat(&preconditionRelative[float32]{}, &preconditionRelative[float64]{}, a, b, s, g, ya, yb)
}

// RelativeEnergy takes the gradients dY_A and dY_B of a PreconditionRelative of
// an n×m gradient and a scalar ε and returns the sums of
//
//	p = 2 D∘X² + |D∘X∘(Z/ε+X)|
//
// along its n rows, then along its m columns, as a vector of n+m elements: the scales
// of relative changes of B and A.
func RelativeEnergy(dya, dyb, epsilon *gorgonia.Node) (*gorgonia.Node, error) {
	if dya == nil || dyb == nil || epsilon == nil {
		return nil, errors.New("apoops: relativeEnergy: an operand is nil")
	}
	dyb, epsilon, err := scaledRelative(dyb, epsilon)
	if err != nil {
		return nil, err
	}
	k, ok := kernelOf(dyb.Op()).(interface {
		energy(dya, dyb, epsilon *gorgonia.Node) (*gorgonia.Node, error)
	})
	if !ok {
		return nil, errors.Errorf("apoops: relativeEnergy: %v is not the gradient of a PreconditionRelative", dyb)
	}
	return k.energy(dya, dyb, epsilon)
}

func (k *relativeGradB[T]) energy(dya, dyb, epsilon *gorgonia.Node) (*gorgonia.Node, error) {
	return apply(&relativeEnergy[T]{of: k}, dya, dyb, epsilon)
}

type preconditionRelative[T Float] struct{ precondition[T] }

func (k *preconditionRelative[T]) name() string     { return "preconditionRelative" }
func (k *preconditionRelative[T]) wrt() []bool      { return []bool{false, false, false, false, true, true} }
func (k *preconditionRelative[T]) clone() kernel[T] { return &preconditionRelative[T]{} }

func (k *preconditionRelative[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if !in[4].Eq(in[0]) || !in[5].Eq(in[1]) {
		return nil, errors.Errorf("Y_A and Y_B have shapes %v and %v, A and B %v and %v", in[4], in[5], in[0], in[1])
	}
	return k.precondition.infer(in[:4])
}

func (k *preconditionRelative[T]) grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	// dY_B does the common work; dY_A takes it as an operand, so that it runs
	// after it.
	first := &relativeGradB[T]{of: &k.precondition}
	dyb, err := apply(first, in[0], in[1], in[2], out, dout)
	if err != nil {
		return nil, err
	}
	dya, err := apply(&relativeGradA[T]{of: first}, dyb, in[0])
	return gorgonia.Nodes{nil, nil, nil, nil, dya, dyb}, err
}

// relativeGradB is the kernel dY_B = Z(D∘X)ᵀ + X(D∘Z)ᵀ; its operands are A, B,
// S, U and dU.
type relativeGradB[T Float] struct {
	noGradient[T]
	of    *precondition[T]
	half  []T // dU A
	z     []T // Bᵀ dU A
	sz    []T // D∘Z, unless S is an outer product
	scale func(lo, hi int)

	outer    bool // S = s_B·s_Aᵀ
	sa, sb   []T
	mirrored transposed[T]
}

func (k *relativeGradB[T]) name() string     { return "relativeGradB" }
func (k *relativeGradB[T]) clone() kernel[T] { return &relativeGradB[T]{of: k.of} }

func (k *relativeGradB[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), sameShape(in[3], in[4])
}

func (k *relativeGradB[T]) run(args *args[T]) error {
	a, b, du := args.in[0], args.in[1], args.in[4]
	p, n, m := k.of, k.of.n, k.of.m
	k.half, k.z = sized(k.half, n*m), sized(k.z, n*m)
	k.sa, k.sb = sized(k.sa, m), sized(k.sb, n)
	k.outer = Outer(p.s, n, m, k.sb, k.sa)
	if k.scale == nil {
		k.scale = func(lo, hi int) {
			z, s, sz := k.z[lo:hi], p.s[lo:hi], k.sz[lo:hi]
			for i, v := range z {
				sz[i] = s[i] * s[i] * v
			}
		}
	}
	blas.Gemm(false, false, n, m, m, 1, du, m, a, m, 0, k.half, m)
	blas.Gemm(true, false, n, m, n, 1, b, n, k.half, m, 0, k.z, m)
	blas.Gemm(false, true, n, n, m, 1, k.z, m, p.sx, m, 0, args.out, n)
	if k.outer {
		k.mirrored.add(args.out, k.sb)
		return nil
	}
	k.sz = sized(k.sz, n*m)
	par.For(n*m, par.Grain, k.scale)
	blas.Gemm(false, true, n, n, m, 1, p.x, m, k.sz, m, 1, args.out, n)
	return nil
}

// relativeGradA is the kernel dY_A = Zᵀ(D∘X) + Xᵀ(D∘Z); its operands are dY_B
// and A.
type relativeGradA[T Float] struct {
	noGradient[T]
	of       *relativeGradB[T]
	mirrored transposed[T]
}

func (k *relativeGradA[T]) name() string     { return "relativeGradA" }
func (k *relativeGradA[T]) clone() kernel[T] { return &relativeGradA[T]{of: k.of} }

func (k *relativeGradA[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), nil
}

func (k *relativeGradA[T]) run(args *args[T]) error {
	p, n, m := k.of.of, k.of.of.n, k.of.of.m
	blas.Gemm(true, false, m, m, n, 1, k.of.z, m, p.sx, m, 0, args.out, m)
	if k.of.outer {
		k.mirrored.add(args.out, k.of.sa)
		return nil
	}
	blas.Gemm(true, false, m, m, n, 1, p.x, m, k.of.sz, m, 1, args.out, m)
	return nil
}

// Outer writes s, an n×m matrix, as an outer product, s_ij = x_i·y_j, and reports
// whether it is one but for the rounding of its elements, none of which is 0. x has n,
// y m elements.
func Outer[T Float](s []T, n, m int, x, y []T) bool {
	first := s[0]
	for i := range x[:n] {
		x[i] = s[i*m]
	}
	for j := range y[:m] {
		y[j] = s[j] / first
	}
	tolerance := T(blas.Pick[T](outerRounding32, outerRounding64))
	for i, v := range x[:n] {
		for j, w := range s[i*m : (i+1)*m] {
			if p := v * y[j]; w == 0 || !(abs(w-p) <= tolerance*abs(p)) {
				return false
			}
		}
	}
	return true
}

// Eight roundings: one of each of s_ij, s_i0, s_0j and s_00, of the quotient and of the
// product, and two to spare.
const outerRounding32, outerRounding64 = 8. / (1 << 24), 8. / (1 << 53)

// transposed is F_ij + F_ji·(s_j/s_i)² for an n×n matrix F, in place.
type transposed[T Float] struct {
	f, s, inverse []T // inverse = 1/s
	body          func(lo, hi int)
}

// transposedTile is the side of the square tiles, of which two fit into a core's cache.
const transposedTile = 64

func (t *transposed[T]) add(f, s []T) {
	if t.body == nil {
		t.body = t.tiles
	}
	t.f, t.s, t.inverse = f, s, sized(t.inverse, len(s))
	for i, x := range s {
		t.inverse[i] = 1 / x
	}
	par.For((len(s)+transposedTile-1)/transposedTile, 1, t.body)
	t.f, t.s = nil, nil
}

// tiles does the rows of tiles [lo, hi), from the diagonal to the right, each tile
// with that opposite.
func (t *transposed[T]) tiles(lo, hi int) {
	n := len(t.s)
	for p := lo * transposedTile; p < min(hi*transposedTile, n); p += transposedTile {
		for q := p; q < n; q += transposedTile {
			for i := p; i < min(p+transposedTile, n); i++ {
				t.row(i, max(i, q), min(q+transposedTile, n))
			}
		}
	}
}

// row does the elements (i, j) and (j, i) for j in [from, to), i ≤ from.
func (t *transposed[T]) row(i, from, to int) {
	n, s, inverse := len(t.s), t.s[i], t.inverse[i]
	for j := from; j < to; j++ {
		a, b := t.f[i*n+j], t.f[j*n+i]
		up, down := t.s[j]*inverse, s*t.inverse[j]
		t.f[i*n+j], t.f[j*n+i] = a+b*up*up, b+a*down*down
	}
}

// relativeEnergy is the kernel of RelativeEnergy; its operands are dY_A, dY_B
// and ε.
type relativeEnergy[T Float] struct {
	noGradient[T]
	of         *relativeGradB[T]
	p          []T
	inverse    T // 1/ε
	a          *args[T]
	rows, cols func(lo, hi int)
}

func (k *relativeEnergy[T]) name() string     { return "relativeEnergy" }
func (k *relativeEnergy[T]) clone() kernel[T] { return &relativeEnergy[T]{of: k.of} }

func (k *relativeEnergy[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if !in[2].IsScalar() {
		return nil, errors.Errorf("ε has shape %v, not that of a scalar", in[2])
	}
	return tensor.Shape{in[1][0] + in[0][0]}, nil
}

func (k *relativeEnergy[T]) run(args *args[T]) error {
	if k.rows == nil {
		k.rows, k.cols = k.sumRows, k.sumCols
	}
	n, m := k.of.of.n, k.of.of.m
	k.a, k.p, k.inverse = args, sized(k.p, n*m), 1/args.in[2][0]
	par.For(n, par.RowGrain(m), k.rows)
	par.For(m, energyCols, k.cols)
	return nil
}

// sumRows computes rows [lo, hi) of p and their sums.
func (k *relativeEnergy[T]) sumRows(lo, hi int) {
	q := k.of.of
	for i := lo; i < hi; i++ {
		from, to := i*q.m, (i+1)*q.m
		x, sx, z, p := q.x[from:to], q.sx[from:to], k.of.z[from:to], k.p[from:to]
		var sum float64
		for j, v := range x {
			e := 2*sx[j]*v + abs(sx[j]*(z[j]*k.inverse+v))
			p[j] = e
			sum += float64(e)
		}
		k.a.out[i] = T(sum)
	}
}

// energyCols is the number of columns that are summed together.
const energyCols = 64

// sumCols computes the sums of columns [lo, hi) of p, at most energyCols.
func (k *relativeEnergy[T]) sumCols(lo, hi int) {
	var sum [energyCols]float64
	n, m := k.of.of.n, k.of.of.m
	for i := range n {
		for j, v := range k.p[i*m+lo : i*m+hi] {
			sum[j] += float64(v)
		}
	}
	for j := lo; j < hi; j++ {
		k.a.out[n+j] = T(sum[j-lo])
	}
}

func abs[T Float](x T) T { return max(x, -x) }
