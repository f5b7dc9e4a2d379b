package apoops

import "gorgonia.org/gorgonia"

// SquaredError is half the squared distance of the outputs y from the targets
// t, averaged over the N examples:
//
//	1/N Σ_i ½ Σ_j (y_ij - t_ij)²
//
// y and t have the same shape, N×…, where a vector of N stands for N×1; the result
// is a scalar. The gradient
// (y-t)/N is with respect to y alone: targets are constants.
func SquaredError(y, t *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(squaredError[float32](), squaredError[float64](), y, t)
}

// SquaredDivergence is half the squared distance of the outputs new from the
// outputs old, averaged over the N examples:
//
//	1/N Σ_i ½ ‖new_i - old_i‖²
//
// Both have the same shape, N×…; the result is a scalar. The gradient
// (new-old)/N is with respect to new alone: old is a constant.
func SquaredDivergence(old, new *gorgonia.Node) (*gorgonia.Node, error) {
	return meanOfRows(squaredDivergence[float32](), squaredDivergence[float64](), old, new)
}

func squaredError[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "squaredError", operands: [2]string{"y", "t"}, of: 0,
		value: squaredRows[T], slope: squaredSlope[T],
	}
}

func squaredDivergence[T Float]() rowLoss[T] {
	return rowLoss[T]{
		label: "squaredDivergence", operands: [2]string{"old", "new"}, of: 1,
		value: squaredRows[T],
		slope: func(d, old, new []T, rows int, scale float64) { squaredSlope(d, new, old, rows, scale) },
	}
}

func squaredRows[T Float](loss []float64, y, t []T) {
	cols := len(y) / len(loss)
	for i := range loss {
		row, target := y[i*cols:(i+1)*cols], t[i*cols:(i+1)*cols]
		var sum float64
		for j, v := range row {
			d := float64(v) - float64(target[j])
			sum += d * d
		}
		loss[i] = sum / 2
	}
}

func squaredSlope[T Float](d, y, t []T, _ int, scale float64) {
	y, t = y[:len(d)], t[:len(d)]
	for j := range d {
		d[j] = T(scale * (float64(y[j]) - float64(t[j])))
	}
}
