package apoops

import (
	"math"

	"gorgonia.org/gorgonia"
)

// SoftCrossEntropy is the cross-entropy of softmax(z) with targets that are numbers
// for each class, such as one-hot rows or probabilities, averaged over the N
// examples:
//
//	1/N Σ_i Σ_j -t_ij ln p_ij    with p_i = softmax(z_i)
//
// The logits z and the targets t are N×C and of one dtype; the result is a scalar.
// The rows of t need not add up to 1. A target of exactly 0 contributes 0 even where
// p is 0. The gradient (p_ij·Σ_k t_ik - t_ij)/N is with respect to the logits alone:
// targets are constants. An example whose logits are all -Inf costs +Inf and has a
// zero gradient.
func SoftCrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(softCE[float32](), softCE[float64](), logits, targets)
}

func softCE[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "softCrossEntropy", operands: [2]string{"logits", "targets"}, of: 0, matrix: true,
		value: softCERows[T], slope: softCESlope[T],
	}
}

func softCERows[T Float](loss []float64, z, t []T) {
	var buf scratch
	cols := len(z) / len(loss)
	for i := range loss {
		row, target := z[i*cols:(i+1)*cols], t[i*cols:(i+1)*cols]
		m := rowMax(row)
		rest := math.Log(sumExp(&buf, row, m))
		var sum float64
		for j, w := range target {
			if w != 0 {
				sum += float64(w) * ((m - float64(row[j])) + rest)
			}
		}
		if math.IsInf(m, -1) {
			sum = math.Inf(1)
		}
		loss[i] = sum
	}
}

func softCESlope[T Float](d, z, t []T, rows int, scale float64) {
	var buf scratch
	cols := len(z) / rows
	for i := range rows {
		from, to := i*cols, (i+1)*cols
		row, target, dz := z[from:to], t[from:to], d[from:to]
		m := rowMax(row)
		if math.IsInf(m, -1) {
			clear(dz)
			continue
		}
		weight := scale * sum64(target) / expRow(&buf, dz, row, m)
		for j, w := range target {
			dz[j] = T(weight*float64(dz[j]) - scale*float64(w))
		}
	}
}
