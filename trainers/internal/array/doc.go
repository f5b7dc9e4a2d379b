// Package array has the arithmetic on weights, gradients and states that the update
// rules share: norms, sums and scaling on all cores, and upper bounds by which a step
// is known to stay finite.
//
// The arrays are contiguous tensors of a dtype of apoops.Float. Sums are in float64
// and do not depend on the number of cores.
package array
