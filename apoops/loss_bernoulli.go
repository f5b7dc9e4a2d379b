package apoops

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// BernoulliCrossEntropy is the cross-entropy of D independent outputs in
// [0, 1], summed over the outputs and averaged over the N examples:
//
//	1/N Σ_i Σ_j -t_ij ln σ(z_ij) - (1-t_ij) ln(1-σ(z_ij))
//
// computed as max(z,0) - z·t + ln(1+exp(-|z|)). The logits z and the targets t have
// the same shape, N×…, where a vector of N counts as N×1, and the same dtype; the
// result is a scalar. The gradient (σ(z)-t)/N is with respect to the logits alone:
// targets are constants. A target outside [0, 1], NaN too, is an error when the graph
// is run.
func BernoulliCrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(bernoulliCE[float32](), bernoulliCE[float64](), logits, targets)
}

func bernoulliCE[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "bernoulliCrossEntropy", operands: [2]string{"logits", "targets"}, of: 0,
		allowed: func(t T) bool { return t >= 0 && t <= 1 }, want: "in [0, 1]",
		value: bernoulliCERows[T], gradient: bernoulliCEGradient[T],
	}
}

func bernoulliCERows[T Float](loss []float64, z, t []T) {
	var buf vmath.Block
	cols := len(z) / len(loss)
	for i := range loss {
		row, target := z[i*cols:(i+1)*cols], t[i*cols:(i+1)*cols]
		var sum float64
		for len(row) > 0 {
			b := vmath.ExpMinusAbs(&buf, row)
			for j, e := range b {
				v := float64(row[j])
				sum += max(v, 0) - v*float64(target[j]) + vmath.Log1p(e)
			}
			row, target = row[len(b):], target[len(b):]
		}
		loss[i] = sum
	}
}

func bernoulliCEGradient[T Float](d, z, t []T, _ int, scale float64) {
	var buf vmath.Block
	for len(z) > 0 {
		b := vmath.SigmoidBlock(&buf, z)
		for j, p := range b {
			d[j] = T(scale * (p - float64(t[j])))
		}
		d, z, t = d[len(b):], z[len(b):], t[len(b):]
	}
}
