package main

import "github.com/apo-gorgonia/apo/trainers"

// meanRate is the mean of the diagonal of APO-Precond's preconditioner P, which is
// closest to a learning rate. For a layer with factors A, B and S, the element of the
// diagonal for weight (k, l) is
//
//	Σ_ij B_ki²·S_ij²·A_lj²
//
// and their sum over k and l is Σ_ij ‖column i of B‖²·S_ij²·‖column j of A‖².
func meanRate(phi []trainers.NamedTensor) float64 {
	trace, weights := 0.0, 0
	for ; len(phi) >= 3; phi = phi[3:] {
		s := phi[2].Value.Float32s()
		a, b := columnNorms(phi[0]), columnNorms(phi[1])
		for i, v := range s {
			trace += b[i/len(a)] * float64(v) * float64(v) * a[i%len(a)]
		}
		weights += len(s)
	}
	return trace / float64(weights)
}

// columnNorms are the squared norms of the columns of a square matrix.
func columnNorms(m trainers.NamedTensor) []float64 {
	n := m.Value.Shape()[1]
	norms := make([]float64, n)
	for i, v := range m.Value.Float32s() {
		norms[i%n] += float64(v) * float64(v)
	}
	return norms
}
