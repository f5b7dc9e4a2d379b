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

// twinSOAP moves one matrix by the equations of the paper, with bases by the reflections of
// Householder, as LAPACK's. limit is the largest side with a basis.
type twinSOAP struct {
	rows, cols, limit int
	m, v              []float64
	l, r, ql, qr      []float64 // the columns of ql and qr are the bases
}

// householder is Q of the QR decomposition of a, n×n.
func householder(a []float64, n int) []float64 {
	r, q := slices.Clone(a), make([]float64, n*n)
	for i := range n {
		q[i*n+i] = 1
	}
	for k := range n {
		v := make([]float64, n)
		for i := k; i < n; i++ {
			v[i] = r[i*n+k]
		}
		length := math.Sqrt(normSq(v))
		v[k] += math.Copysign(length, v[k])
		square := normSq(v)
		for j := range n {
			var dr, dq float64
			for i := range n {
				dr += v[i] * r[i*n+j]
				dq += v[i] * q[j*n+i]
			}
			for i := range n {
				r[i*n+j] -= 2 * v[i] * dr / square
				q[j*n+i] -= 2 * v[i] * dq / square
			}
		}
	}
	return q
}

func (k *twinSOAP) average(p, g []float64, n, m int, beta2 float64) {
	gg := product(g, transposed(g, n, m), n, m, n)
	for i := range p {
		p[i] = beta2*p[i] + (1-beta2)*gg[i]
	}
}

func (k *twinSOAP) step(t *testing.T, c *SOAPConfig, at int, w, g []float64) {
	n, m := k.rows, k.cols
	first := at == 1
	if first {
		k.m, k.v, k.l, k.r = make([]float64, n*m), make([]float64, n*m), make([]float64, n*n), make([]float64, m*m)
	} else {
		gp := product(product(transposed(k.ql, n, n), g, n, n, m), k.qr, n, m, m)
		for i := range g {
			k.m[i] = c.Beta1*k.m[i] + (1-c.Beta1)*g[i]
			k.v[i] = c.Beta2*k.v[i] + (1-c.Beta2)*gp[i]*gp[i]
		}
		x := product(product(transposed(k.ql, n, n), k.m, n, n, m), k.qr, n, m, m)
		b := math.Sqrt(1-math.Pow(c.Beta2, float64(at-1))) / (1 - math.Pow(c.Beta1, float64(at-1)))
		for i := range x {
			x[i] *= b / (math.Sqrt(k.v[i]) + c.Eps)
		}
		x = product(product(k.ql, x, n, n, m), transposed(k.qr, m, m), n, m, m)
		for i := range w {
			w[i] -= c.LR * (x[i] + c.WeightDecay*w[i])
		}
	}
	k.average(k.l, g, n, m, c.Beta2)
	k.average(k.r, transposed(g, n, m), m, n, c.Beta2)
	switch {
	case first:
		k.ql, k.qr = k.vectors(t, k.l, n), k.vectors(t, k.r, m)
	case (at-1)%c.BasisEvery == 0:
		if n <= k.limit {
			k.ql = householder(product(k.l, k.ql, n, n, n), n)
		}
		if m <= k.limit {
			k.qr = householder(product(k.r, k.qr, m, m, m), m)
		}
	}
}

// vectors are the eigenvectors of p as columns, of the largest eigenvalue first.
func (k *twinSOAP) vectors(t *testing.T, p []float64, n int) []float64 {
	q := make([]float64, n*n)
	if n > k.limit {
		for i := range n {
			q[i*n+i] = 1
		}
		return q
	}
	u := slices.Clone(p)
	if err := blas.Eigen(n, u, make([]float64, n)); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for j := range n {
			q[i*n+j] = u[(n-1-j)*n+i]
		}
	}
	return q
}

// TestSOAPEqualsTwin has matrices of full rank after the first step, one with a basis on one
// side alone, and a vector. The signs of basis vectors do not matter.
func TestSOAPEqualsTwin(t *testing.T) {
	t.Run("float64", func(t *testing.T) { soapEqualsTwin[float64](t, 1e-8) })
	t.Run("float32", func(t *testing.T) { soapEqualsTwin[float32](t, 5e-2) })
}

func soapEqualsTwin[T apoops.Float](t *testing.T, tolerance float64) {
	rng := rand.New(rand.NewPCG(8, 2))
	draw := func(shape ...int) *tensor.Dense {
		x := make([]T, tensor.Shape(shape).TotalSize())
		for i := range x {
			x[i] = T(rng.NormFloat64())
		}
		return denseOf(x, shape...)
	}
	c := SOAP(0.02)
	c.BasisEvery, c.MaxDim, c.Beta1, c.Beta2, c.Eps = 3, 6, 0.9, 0.95, 1e-4
	params := []*graph.Param{
		{Name: "square", Matrix: true, Value: draw(5, 5)}, {Name: "wide", Matrix: true, Value: draw(4, 9)}, {Name: "scale", Value: draw(7)},
	}
	twins := []*twinSOAP{{rows: 5, cols: 5, limit: 6}, {rows: 4, cols: 9, limit: 6}, {rows: 1, cols: 7}}
	r, err := c.Start(&Task{Params: params})
	if err != nil {
		t.Fatal(err)
	}
	descent, err := array.NewDescent(apoops.DtypeOf[T]())
	if err != nil {
		t.Fatal(err)
	}
	want := make([][]float64, len(params))
	for i, p := range params {
		want[i] = numbersOf(p.Value)
	}
	for step := 1; step <= 14; step++ {
		var g []*tensor.Dense
		for i, p := range params {
			g = append(g, draw(p.Value.Shape()...))
			twins[i].step(t, c, step, want[i], numbersOf(g[i]))
		}
		in := Input{T: step, G: g, Norm: math.Sqrt(array.SumSquares(g...))}
		if !r.StaysFinite(in, []float64{c.LR, c.LR, c.LR}) {
			t.Fatalf("step %d: it is not known that it stays finite", step)
		}
		d, err := r.Directions(in)
		if err != nil {
			t.Fatal(err)
		}
		descent.Move(params, d, []float64{c.LR, c.LR, c.LR})
		for i, p := range params {
			if far := math.Sqrt(normSq(minus(numbersOf(p.Value), want[i])) / normSq(want[i])); !(far <= tolerance) {
				t.Fatalf("step %d: %s is off by %.1e", step, p.Name, far)
			}
		}
	}
	notes := strings.Join(r.Notes(), "; ")
	if !strings.Contains(notes, "AdamW for scale") || !strings.Contains(notes, "a side of wide") {
		t.Errorf("notes %s", notes)
	}
}

// TestEigenbasisFollows has the basis come to the eigenvectors of a matrix that stays.
func TestEigenbasisFollows(t *testing.T) {
	const n = 8
	rng := rand.New(rand.NewPCG(1, 2))
	b := newEigenbasis[float64](n)
	for i := range n { // eigenvalues 4^-i along random directions
		v := make([]float64, n)
		for j := range v {
			v[j] = rng.NormFloat64() * math.Pow(0.5, float64(i))
		}
		b.add(false, v, 1, 0.9)
	}
	for range 200 {
		b.iterate()
	}
	turned := product(product(b.e, b.p, n, n, n), transposed(b.e, n, n), n, n, n)
	gram := product(b.e, transposed(b.e, n, n), n, n, n)
	for i := range n {
		for j := range n {
			if i != j && math.Abs(turned[i*n+j]) > 1e-9*turned[0] {
				t.Errorf("E·P·Eᵀ has %v at %d, %d", turned[i*n+j], i, j)
			}
			if want := map[bool]float64{true: 1}[i == j]; math.Abs(gram[i*n+j]-want) > 1e-12 {
				t.Errorf("E·Eᵀ has %v at %d, %d", gram[i*n+j], i, j)
			}
		}
	}
	zero := newEigenbasis[float64](3)
	zero.iterate()
	if zero.e[0] != 1 || zero.e[4] != 1 {
		t.Error("the basis of P = 0 moved")
	}
}
