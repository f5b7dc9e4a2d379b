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

// SoftmaxNLL is the negative log-likelihood, averaged over the N examples, of the
// family with natural parameters z and statistics t:
//
//	1/N Σ_i (ln Σ_j exp(z_ij) - Σ_j t_ij·z_ij)
//
// It is SoftCrossEntropy where the rows of t add up to 1, and has the gradient
// (softmax(z) - t)/N where they do not.
func SoftmaxNLL(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(softmaxNLL[float32](), softmaxNLL[float64](), logits, targets)
}

func softCE[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "softCrossEntropy", operands: [2]string{"logits", "targets"}, of: 0, matrix: true,
		value: softCERows[T],
		slope: func(d, z, t []T, rows int, scale float64) { softCESlope(d, z, t, rows, scale, false) },
	}
}

func softmaxNLL[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "softmaxNLL", operands: [2]string{"logits", "targets"}, of: 0, matrix: true,
		value: softmaxNLLRows[T],
		slope: func(d, z, t []T, rows int, scale float64) { softCESlope(d, z, t, rows, scale, true) },
	}
}

func softmaxNLLRows[T Float](loss []float64, z, t []T) {
	var buf scratch
	cols := len(z) / len(loss)
	for i := range loss {
		row, target := z[i*cols:(i+1)*cols], t[i*cols:(i+1)*cols]
		m := rowMax(row)
		sum := math.Log(sumExp(&buf, row, m)) // of logits that are less by m
		for j, w := range target {
			if w != 0 {
				sum -= float64(w) * (float64(row[j]) - m)
			}
		}
		loss[i] = sum + m*(1-sum64(target))
		if math.IsInf(m, -1) {
			loss[i] = math.Inf(1)
		}
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

// softCESlope is the gradient of either; whole has the softmax count once for each
// row, whatever its targets add up to.
func softCESlope[T Float](d, z, t []T, rows int, scale float64, whole bool) {
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
		weight := scale / expRow(&buf, dz, row, m)
		if !whole {
			weight *= sum64(target)
		}
		for j, w := range target {
			dz[j] = T(weight*float64(dz[j]) - scale*float64(w))
		}
	}
}
