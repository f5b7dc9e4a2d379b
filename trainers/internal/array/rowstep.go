package array

import (
	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
)

// RowStep is a step U = P_B·G·P_A from the rows of G = XᵀZ, for symmetric P_B and P_A,
// without G:
//
//	U = (X·P_B)ᵀ(Z·P_A),  <U, G> = Σ (X·P_B·Xᵀ)∘(Z·P_A·Zᵀ).
//
// Whoever uses it sets XP and ZP after Begin. It allocates nothing from the second step
// of a size on. The zero value is ready.
type RowStep[T apoops.Float] struct {
	N, In, Out int
	X, Z       []T // N×In, with the 1 of a bias, and N×Out
	XP, ZP     []T // X·P_B and Z·P_A

	own          []T // X with a 1
	inner, outer []T // strips of X·P_B·Xᵀ and Z·P_A·Zᵀ
}

// Begin takes the rows of a step.
func (s *RowStep[T]) Begin(r graph.Rows) {
	s.N, s.In, s.Out = r.Len(), r.Inputs(), r.S.Shape()[1]
	s.X, s.Z = apoops.Elements[T](r.A), apoops.Elements[T](r.S)
	if r.Bias {
		s.own = sized(s.own, s.N*s.In)
		n := s.In - 1
		for i := range s.N {
			row := s.own[i*s.In : (i+1)*s.In]
			copy(row, s.X[i*n:(i+1)*n])
			row[n] = 1
		}
		s.X = s.own
	}
	s.XP, s.ZP = sized(s.XP, s.N*s.In), sized(s.ZP, s.N*s.Out)
}

// strip is the number of rows that Product computes at a time.
const strip = 32

// Product is <U, G>. Of the symmetric matrices of N×N it computes little more than a half.
func (s *RowStep[T]) Product() (total float64) {
	s.inner, s.outer = sized(s.inner, strip*s.N), sized(s.outer, strip*s.N)
	for lo := 0; lo < s.N; lo += strip {
		hi := min(lo+strip, s.N)
		rows := hi - lo
		blas.Gemm(false, true, rows, hi, s.In, 1, s.XP[lo*s.In:], s.In, s.X, s.In, 0, s.inner, hi)
		blas.Gemm(false, true, rows, hi, s.Out, 1, s.ZP[lo*s.Out:], s.Out, s.Z, s.Out, 0, s.outer, hi)
		for i := range rows {
			x, z := s.inner[i*hi:(i+1)*hi], s.outer[i*hi:(i+1)*hi]
			for j, v := range x[:lo] {
				total += 2 * float64(v) * float64(z[j])
			}
			for j := lo; j < hi; j++ {
				total += float64(x[j]) * float64(z[j])
			}
		}
	}
	return total
}

// Average is m ← mu·m + nu·U.
func (s *RowStep[T]) Average(m []T, mu, nu T) {
	blas.Gemm(true, false, s.In, s.Out, s.N, nu, s.XP, s.In, s.ZP, s.Out, mu, m, s.Out)
}

func sized[T any](buf []T, n int) []T {
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}

// RowsCheaper reports whether a step from n rows takes fewer multiplications than one
// from the gradient of in×out. perIn and perOut are those of the product of P_B, or P_A,
// and a vector; the product XᵀZ is the same in both.
func RowsCheaper(n, in, out, perIn, perOut int) bool {
	rows := float64(n) * (float64(perIn) + float64(perOut) + float64(n+strip)/2*float64(in+out))
	return rows < float64(out)*float64(perIn)+float64(in)*float64(perOut)
}
