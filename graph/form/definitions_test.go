package form

import (
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"
)

// definitions are the forms' P as matrices of (rows·cols)², by their definitions.
var definitions = map[string]func(phi []*mat.Dense, n int) mat.Matrix{
	"kronecker": func(phi []*mat.Dense, n int) mat.Matrix { // (B⊗A) diag(vec S)² (B⊗A)ᵀ, vec by rows
		var both, scaled, p mat.Dense
		both.Kronecker(phi[1], phi[0])
		scaled.Mul(&both, squared(phi[2], n))
		p.Mul(&scaled, both.T())
		return &p
	},
	"diagonal": func(phi []*mat.Dense, n int) mat.Matrix { return squared(phi[0], n) },
	"scalar":   func(phi []*mat.Dense, n int) mat.Matrix { return squared(phi[0], n) },
	"full":     func(phi []*mat.Dense, _ int) mat.Matrix { return phi[0] },
	"low-rank": func(phi []*mat.Dense, _ int) mat.Matrix { // P_B⊗P_Aᵀ, vec by rows
		b, phi := side(phi)
		a, _ := side(phi)
		var both mat.Dense
		both.Kronecker(b, a.T())
		return &both
	},
}

// side is the first P in φ, p(I - VVᵀ) + VCVᵀ, or C where V is missing, and the rest.
func side(phi []*mat.Dense) (*mat.Dense, []*mat.Dense) {
	n, r := phi[0].Dims()
	if n == r {
		return phi[0], phi[1:]
	}
	v, c, p := phi[0], phi[1], phi[2].At(0, 0)
	var inner, vv, sum mat.Dense
	inner.Product(v, c, v.T())
	vv.Mul(v, v.T())
	vv.Scale(-p, &vv)
	for i := range n {
		vv.Set(i, i, vv.At(i, i)+p)
	}
	sum.Add(&vv, &inner)
	return &sum, phi[3:]
}

// squared is the diagonal matrix of the n squares of s, or of one for all.
func squared(s *mat.Dense, n int) mat.Matrix {
	x, d := s.RawMatrix().Data, mat.NewDiagDense(n, nil)
	for i := range n {
		d.SetDiag(i, x[i%len(x)]*x[i%len(x)])
	}
	return d
}

func TestFormsByDefinition(t *testing.T) {
	for _, f := range append([]Form{LowRank{Rank: 1}}, forms...) {
		define := definitions[f.Name()]
		if define == nil {
			continue // TestForms checks it
		}
		c := newCase(f, 3, 4)
		p := c.perturbed(t, tensor.Float64)
		var phi []*mat.Dense
		for _, a := range p.Factors() {
			rows, cols := a.Shape()[0], a.DataSize()/a.Shape()[0]
			phi = append(phi, mat.NewDense(rows, cols, numbers(a)))
		}
		g := c.random(tensor.Float64, c.rows, c.cols)
		var want mat.VecDense
		want.MulVec(define(phi, c.rows*c.cols), mat.NewVecDense(c.rows*c.cols, numbers(g)))
		near(t, f.Name(), multiply(p, g), want.RawVector().Data, 1e-14)
	}
}
