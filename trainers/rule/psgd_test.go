package rule

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// twinPSGD moves one matrix by Li's equations on the vector of its elements, row by row, with
// Q = Q_L⊗Q_R and P = QᵀQ as matrices of all of them.
type twinPSGD struct {
	rows, cols           int
	vector               bool // Q_L is 1 and stays
	diagonalL, diagonalR bool
	l, r, m              []float64
}

func newTwinPSGD(rows, cols, maxDim int, vector bool) *twinPSGD {
	k := &twinPSGD{rows: rows, cols: cols, vector: vector, m: make([]float64, rows*cols)}
	k.diagonalL, k.diagonalR = rows > maxDim || rows == 1, cols > maxDim || cols == 1 || vector
	k.l, k.r = identity(rows), identity(cols)
	return k
}

func identity(n int) []float64 {
	a := make([]float64, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	return a
}

// kronecker is x⊗y of n×n and m×m.
func kronecker(x, y []float64, n, m int) []float64 {
	z := make([]float64, n*m*n*m)
	for i := range n * m {
		for j := range n * m {
			z[i*n*m+j] = x[i/m*n+j/m] * y[i%m*m+j%m]
		}
	}
	return z
}

// inverted is x⁻¹ of n×n by Gauss and Jordan, for x with no 0 on the diagonal.
func inverted(x []float64, n int) []float64 {
	a, b := slices.Clone(x), identity(n)
	for i := range n {
		pivot := a[i*n+i]
		for j := range n {
			a[i*n+j] /= pivot
			b[i*n+j] /= pivot
		}
		for k := range n {
			factor := a[k*n+i]
			for j := range n {
				if k != i {
					a[k*n+j] -= factor * a[i*n+j]
					b[k*n+j] -= factor * b[i*n+j]
				}
			}
		}
	}
	return b
}

// images are Q·x and Q⁻ᵀ·v.
func (k *twinPSGD) images(x, v []float64) (a, b []float64) {
	n := k.rows * k.cols
	q := kronecker(k.l, k.r, k.rows, k.cols)
	return product(q, x, n, n, 1), product(transposed(inverted(q, n), n, n), v, n, n, 1)
}

// moved is Q - rate·E·Q/‖S‖ of n×n with E of a·aᵀ - b·bᵀ and S = a·aᵀ + b·bᵀ for n×k.
func (k *twinPSGD) moved(q, a, b []float64, n, m int, diagonal bool, rate float64) []float64 {
	p, s := product(a, transposed(a, n, m), n, m, n), product(b, transposed(b, n, m), n, m, n)
	e, largest := make([]float64, n*n), 0.0
	for i := range n {
		for j := range n {
			if j == i || j > i && !diagonal {
				e[i*n+j] = p[i*n+j] - s[i*n+j]
			}
		}
		largest = max(largest, p[i*n+i]+s[i*n+i])
	}
	for i := range s {
		s[i] += p[i]
	}
	norm := largest
	if !diagonal {
		norm = lowerBound(s, n)
	}
	e = product(e, q, n, n, n)
	for i := range e {
		e[i] = q[i] - rate*e[i]/norm
	}
	return e
}

// lowerBound is ‖s·s·c‖/‖s·c‖ for the column c of the largest norm.
func lowerBound(s []float64, n int) float64 {
	c, far := []float64(nil), -1.0
	for i := range n {
		if norm := normSq(s[i*n : (i+1)*n]); norm > far {
			c, far = s[i*n:(i+1)*n], norm
		}
	}
	once := product(s, c, n, n, 1)
	return math.Sqrt(normSq(product(s, once, n, n, 1)) / normSq(once))
}

// step takes step t with that plan and V.
func (k *twinPSGD) step(c *PSGDKronConfig, t int, plan kronPlan, w, g, v []float64) {
	n := k.rows * k.cols
	x, mean := make([]float64, n), 0.0
	for i := range x {
		k.m[i] = c.Momentum*k.m[i] + (1-c.Momentum)*g[i]
		x[i] = k.m[i] / (1 - math.Pow(c.Momentum, float64(t)))
		mean += math.Abs(x[i]) / float64(n)
	}
	if plan.balances && !k.vector {
		largest := func(q []float64) float64 { return max(slices.Max(q), -slices.Min(q)) }
		l, r := largest(k.l), largest(k.r)
		for i := range k.l {
			k.l[i] *= math.Sqrt(r / l)
		}
		for i := range k.r {
			k.r[i] *= math.Sqrt(l / r)
		}
	}
	if plan.moves {
		noisy := slices.Clone(x)
		for i := range noisy {
			noisy[i] += math.Pow(2, -11.5) * mean * v[i]
		}
		a, b := k.images(noisy, v)
		if !k.vector {
			k.l = k.moved(k.l, a, b, k.rows, k.cols, k.diagonalL, c.PrecondLR)
		}
		k.r = k.moved(k.r, transposed(a, k.rows, k.cols), transposed(b, k.rows, k.cols), k.cols, k.rows, k.diagonalR, c.PrecondLR)
	}
	q := kronecker(k.l, k.r, k.rows, k.cols)
	u := product(transposed(q, n, n), product(q, x, n, n, 1), n, n, 1)
	rms, decay := math.Sqrt(normSq(u)/float64(n)), c.WeightDecay
	if k.vector {
		decay = 0
	}
	for i := range w {
		w[i] -= c.LR * (u[i]*min(1, c.MaxRMS/rms) + decay*w[i])
	}
}

// TestPSGDEqualsTwin has a matrix, one with a diagonal on one side, a row, and a vector, with
// steps that balance the factors and steps that leave them.
func TestPSGDEqualsTwin(t *testing.T) {
	t.Run("float64", func(t *testing.T) { psgdEqualsTwin[float64](t, 1e-10) })
	t.Run("float32", func(t *testing.T) { psgdEqualsTwin[float32](t, 2e-3) })
}

func psgdEqualsTwin[T apoops.Float](t *testing.T, tolerance float64) {
	rng := rand.New(rand.NewPCG(8, 3))
	draw := func(shape ...int) *tensor.Dense {
		x := make([]T, tensor.Shape(shape).TotalSize())
		for i := range x {
			x[i] = T(rng.NormFloat64() * math.Pow(3, float64(i%4)))
		}
		return denseOf(x, shape...)
	}
	c := PSGDKron(0.02)
	c.FlatSteps, c.Anneal, c.MinProbability, c.Balance, c.MaxDim, c.WeightDecay = 12, 0.05, 0.4, 0.3, 6, 0.1
	params := []*graph.Param{
		{Name: "matrix", Matrix: true, Value: draw(5, 4)}, {Name: "wide", Matrix: true, Value: draw(3, 7)},
		{Name: "row", Matrix: true, Value: draw(1, 4)}, {Name: "scale", Value: draw(9)},
	}
	twins := []*twinPSGD{newTwinPSGD(5, 4, 6, false), newTwinPSGD(3, 7, 6, false), newTwinPSGD(1, 4, 6, false), newTwinPSGD(1, 9, 6, true)}
	r, err := c.Start(&Task{Params: params, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	descent, err := array.NewDescent(apoops.DtypeOf[T]())
	if err != nil {
		t.Fatal(err)
	}
	want, rates := make([][]float64, len(params)), slices.Repeat([]float64{c.LR}, len(params))
	for i, p := range params {
		want[i] = numbersOf(p.Value)
	}
	kinds := map[[2]bool]int{}
	for step := 1; step <= 40; step++ {
		plan := r.(*psgdKron[T]).plan(step)
		kinds[[2]bool{plan.moves, plan.balances}]++
		var g []*tensor.Dense
		for i, p := range params {
			g = append(g, draw(p.Value.Shape()...))
			v := make([]T, p.Value.DataSize())
			drawNormal(v, plan.draws.Uint64())
			twins[i].step(c, step, plan, want[i], numbersOf(g[i]), numbersOf(denseOf(v, len(v))))
		}
		in := Input{T: step, G: g, Norm: math.Sqrt(array.SumSquares(g...))}
		if !r.StaysFinite(in, rates) {
			t.Fatalf("step %d: it is not known that it stays finite", step)
		}
		d, err := r.Directions(in)
		if err != nil {
			t.Fatal(err)
		}
		descent.Move(params, d, rates)
		for i, p := range params {
			if far := math.Sqrt(normSq(minus(numbersOf(p.Value), want[i])) / normSq(want[i])); !(far <= tolerance) {
				t.Fatalf("step %d: %s is off by %.1e", step, p.Name, far)
			}
		}
	}
	if kinds[[2]bool{true, true}] == 0 || kinds[[2]bool{true, false}] == 0 || kinds[[2]bool{false, false}] == 0 {
		t.Errorf("kinds of steps: %v", kinds)
	}
	notes := strings.Join(r.Notes(), "; ")
	if !strings.Contains(notes, "factor for scale") || !strings.Contains(notes, "a side of wide") || strings.Contains(notes, "of matrix") {
		t.Errorf("notes %s", notes)
	}
	if n := r.Fallbacks(); n != 0 {
		t.Errorf("%d fallbacks", n)
	}
}

// TestPSGDGoesDownItsCriterion compares the step of each factor with central differences of
// xᵀ·P·x + vᵀ·P⁻¹·v along the triangular matrices.
func TestPSGDGoesDownItsCriterion(t *testing.T) {
	const rows, cols, h = 4, 3, 1e-5
	rng := rand.New(rand.NewPCG(2, 2))
	draw := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		return x
	}
	upper := func(n int) []float64 {
		q := draw(n * n)
		for i := range n {
			clear(q[i*n : i*n+i])
			q[i*n+i] = 1 + rng.Float64()
		}
		return q
	}
	k := newTwinPSGD(rows, cols, 100, false)
	k.l, k.r = upper(rows), upper(cols)
	x, v := draw(rows*cols), draw(rows*cols)
	criterion := func() float64 {
		a, b := k.images(x, v)
		return normSq(a) + normSq(b)
	}
	a, b := k.images(x, v)
	var w kronWork[float64]
	for _, side := range []struct {
		q     *[]float64
		n, k  int
		trans bool
	}{{&k.l, rows, cols, false}, {&k.r, cols, rows, true}} {
		n, before := side.n, slices.Clone(*side.q)
		f := &triangle[float64]{n: n, q: slices.Clone(before)}
		w.fit(rows*cols, []*triangle[float64]{f})
		if !f.move(side.trans, a, b, side.k, 1, &w) {
			t.Fatal("no step")
		}
		step := product(minus(before, f.q), inverted(before, n), n, n, n) // triu(…)/‖…‖
		norm := lowerBound(w.sum[:n*n], n)
		for i := range n {
			for j := range n {
				slope := 0.0
				for _, sign := range []float64{1, -1} {
					e := identity(n)
					e[i*n+j] += sign * h
					*side.q = product(e, before, n, n, n)
					slope += sign * criterion() / (2 * h)
				}
				*side.q = slices.Clone(before)
				if want := slope / 2 / norm; j >= i && math.Abs(step[i*n+j]-want) > 1e-7 || j < i && math.Abs(step[i*n+j]) > 1e-12 {
					t.Errorf("element %d, %d of the step is %v, by differences %v", i, j, step[i*n+j], want)
				}
			}
		}
	}
}

// TestPSGDSolvesLargeTriangles has factors of several blocks.
func TestPSGDSolvesLargeTriangles(t *testing.T) {
	const n, k = 2*solveBlock + 7, solveBlock + 5
	rng := rand.New(rand.NewPCG(6, 1))
	f := newTriangle[float64](n, false)
	for i := range n {
		for j := i; j < n; j++ {
			f.q[i*n+j] += rng.NormFloat64() / n
		}
	}
	x := make([]float64, n*k)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	left, right, back := slices.Clone(x), slices.Clone(x), make([]float64, n*k)
	f.solveLeft(left, k)
	f.left(true, back, left, k)
	if far := math.Sqrt(normSq(minus(back, x))); far > 1e-11 {
		t.Errorf("Qᵀ·(Q⁻ᵀ·x) is off by %.1e", far)
	}
	f.solveRight(right, k)
	f.right(false, back, right, k)
	if far := math.Sqrt(normSq(minus(back, x))); far > 1e-11 {
		t.Errorf("(x·Q⁻¹)·Q is off by %.1e", far)
	}
}

// TestPSGDNorm has the bound between the largest element of the diagonal and the largest
// eigenvalue, near the latter.
func TestPSGDNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 2))
	for _, n := range []int{1, 2, 7, 30} {
		a := make([]float64, n*n)
		for i := range a {
			a[i] = rng.NormFloat64()
		}
		s := product(a, transposed(a, n, n), n, n, n)
		var w kronWork[float64]
		w.fit(1, []*triangle[float64]{newTriangle[float64](n, false)})
		bound, diagonal := w.eigenvalue(s, n), 0.0
		for i := range n {
			diagonal = max(diagonal, s[i*n+i])
		}
		if want := lowerBound(s, n); math.Abs(bound-want) > 1e-9*want {
			t.Errorf("n = %d: %v, want %v", n, bound, want)
		}
		values := make([]float64, n)
		if err := blas.Eigen(n, slices.Clone(s), values); err != nil {
			t.Fatal(err)
		}
		if most := values[n-1]; bound < diagonal*(1-1e-12) || bound > most*(1+1e-12) || bound < 0.7*most {
			t.Errorf("n = %d: %v, the largest eigenvalue is %v and the largest element %v", n, bound, most, diagonal)
		}
	}
}

// TestPSGDWhitens has gradients of one covariance: that of U comes near I.
func TestPSGDWhitens(t *testing.T) {
	const rows, cols = 3, 4
	n := rows * cols
	rng := rand.New(rand.NewPCG(9, 4))
	mixL, mixR := []float64{5, 2, 0, 0, 1, 3, 0.5, 0, 0.2}, identity(cols)
	mixR[1], mixR[cols+1], mixR[2*cols+3] = 3, 0.1, 2
	draw := func() *tensor.Dense {
		z := make([]float64, n)
		for i := range z {
			z[i] = rng.NormFloat64()
		}
		return denseOf(product(product(mixL, z, rows, rows, cols), mixR, rows, cols, cols), rows, cols)
	}
	c := PSGDKron(0.1)
	c.Momentum, c.MaxRMS, c.PrecondLR, c.FlatSteps = 0, 0, 0.02, 8000
	r, err := c.Start(&Task{Params: []*graph.Param{{Name: "w", Matrix: true, Value: draw()}}})
	if err != nil {
		t.Fatal(err)
	}
	covariance, raw := make([]float64, n*n), make([]float64, n*n)
	for step := 1; step <= 8000; step++ {
		g := draw()
		d, err := r.Directions(Input{T: step, G: []*tensor.Dense{g}})
		if err != nil {
			t.Fatal(err)
		}
		u, x := numbersOf(d[0]), numbersOf(g)
		for i := 0; i < n*n && step > 4000; i++ {
			covariance[i] += u[i/n] * u[i%n] / 4000
			raw[i] += x[i/n] * x[i%n] / 4000
		}
	}
	far := func(a []float64) float64 { return math.Sqrt(normSq(minus(a, identity(n))) / float64(n)) }
	if !(far(covariance) < 0.3 && far(raw) > 10) {
		t.Errorf("the covariance is off by %.2f, that of gradients by %.2f", far(covariance), far(raw))
	}
}

// TestPSGDMatrixFindsOptimum goes down ½‖A·(W-W*)·B‖², in which rows and columns are mixed and
// of different scale.
func TestPSGDMatrixFindsOptimum(t *testing.T) {
	const rows, cols, steps = 4, 3, 2000
	a := []float64{3, 1, 0, 0, 0, 1, 0.5, 0, 0.2, 0, 0.3, 0, 0, 0, 1, 2}
	b := []float64{1, 0.5, 0, 0, 4, 0, 1, 0, 0.5}
	aa, bb := product(transposed(a, rows, rows), a, rows, rows, rows), product(b, transposed(b, cols, cols), cols, cols, cols)
	optimum := []float64{1, -1, 2, 0.5, 1, -2, 0, 1, 1, -0.5, 0.3, 1}
	value := func(far []float64) float64 {
		return normSq(product(product(a, far, rows, rows, cols), b, rows, cols, cols)) / 2
	}
	c := PSGDKron(0.01)
	p := &graph.Param{Name: "w", Matrix: true, Value: denseOf(make([]float64, rows*cols), rows, cols)}
	r, err := c.Start(&Task{Params: []*graph.Param{p}})
	if err != nil {
		t.Fatal(err)
	}
	w := p.Value.Float64s()
	first := value(minus(w, optimum))
	for step := range steps {
		g := product(product(aa, minus(w, optimum), rows, rows, cols), bb, rows, cols, cols)
		d, err := r.Directions(Input{T: step + 1, G: []*tensor.Dense{denseOf(g, rows, cols)}})
		if err != nil {
			t.Fatal(err)
		}
		blas.Axpy(-c.LR*(1-float64(step)/steps), d[0].Float64s(), w)
	}
	if last := value(minus(w, optimum)); !(last <= 1e-4*first) {
		t.Errorf("%v at first, %v in the end", first, last)
	}
}

// TestPSGDPlan counts the steps that move the factors.
func TestPSGDPlan(t *testing.T) {
	c := PSGDKron(0.1)
	r := &psgdKron[float64]{c: *c, seed: 3}
	count := func(from, to int) (moves, balances float64) {
		for step := from; step < to; step++ {
			p := r.plan(step)
			if p.moves {
				moves += 1 / float64(to-from)
			}
			if p.balances {
				balances += 1 / float64(to-from)
			}
		}
		return moves, balances
	}
	if moves, _ := count(1, 501); math.Abs(moves-1) > 1e-9 {
		t.Errorf("%v of the first 500 steps move factors", moves)
	}
	if moves, _ := count(1401, 1601); math.Abs(moves-math.Exp(-1)) > 0.1 {
		t.Errorf("%v of the steps around 1500", moves)
	}
	if moves, _ := count(10000, 30000); math.Abs(moves-0.03) > 0.005 {
		t.Errorf("%v of late steps", moves)
	}
	r.c.FlatSteps = 1e6
	if moves, balances := count(1, 20000); math.Abs(moves-1) > 1e-9 || math.Abs(balances-0.01) > 0.003 {
		t.Errorf("%v of steps move, %v balance", moves, balances)
	}
}

// TestPSGDKeepsFactors takes gradients of 0, and one whose products overflow: both leave the
// factors, and the second is counted.
func TestPSGDKeepsFactors(t *testing.T) {
	p := &graph.Param{Name: "w", Matrix: true, Value: denseOf(make([]float32, 6), 2, 3)}
	r, err := PSGDKron(0.1).Start(&Task{Params: []*graph.Param{p}})
	if err != nil {
		t.Fatal(err)
	}
	for step, c := range []struct {
		gradient  float32
		fallbacks int
	}{{0, 0}, {1e25, 1}} {
		d, err := r.Directions(Input{T: step + 1, G: []*tensor.Dense{denseOf(slices.Repeat([]float32{c.gradient}, 6), 2, 3)}})
		if err != nil {
			t.Fatal(err)
		}
		q := r.(*psgdKron[float32]).parts[0]
		if !slices.Equal(q.left.q, []float32{1, 0, 0, 1}) || !slices.Equal(q.right.q, []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}) {
			t.Errorf("a gradient of %v moved the factors to %v, %v", c.gradient, q.left.q, q.right.q)
		}
		if r.Fallbacks() != c.fallbacks || !graph.Finite(d[0]) {
			t.Errorf("a gradient of %v: %d fallbacks, direction %v", c.gradient, r.Fallbacks(), d[0])
		}
	}
}
