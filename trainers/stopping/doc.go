// Package stopping ends a training early (Prechelt 1998): Best keeps the best value of a
// measure, such as the loss on validation data, and says when it has not improved for a number
// of evaluations in a row, the patience p.
//
//	v_1, v_2, …   the values, one for each evaluation
//	b             the evaluation of the best: n becomes b where v_n < v_b - MinChange
//	stop at n     where n - b ≥ p
//
// The weights of the best evaluation are kept by saving them when there is one:
//
//	best := stopping.Lowest(5)
//	for range epochs {
//		…
//		if best.See(result.Loss) {
//			err = tr.SaveWeights("best.safetensors")
//		}
//		if best.Stop() {
//			break
//		}
//	}
package stopping
