// Package parity replays reference runs, called fixtures, through the graphs,
// virtual machines and rules of this module, and compares every number.
//
// A fixture is a JSON file: a model, a loss, an update rule with its
// meta-optimizer, the weights and φ it started from, and for each step the
// batches that went in and the numbers that came out. Every layer is a matrix
// (inputs+1)×outputs whose last row is the bias, written row by row.
//
//	model           kind mlp; sizes; activation relu, tanh, sigmoid or identity.
//	                kind tiny-conv: in_channels, height, width; channels, kernel,
//	                stride, padding of a convolution; activation; pool, the size of
//	                max pooling; outputs of a linear layer
//	loss            mse, ce or bce
//	fsd_direction   old_new, KL(p_θ ‖ p_θ'), or new_old, KL(p_θ' ‖ p_θ)
//	rule            kind sgd, sgdm, rmsprop, adam, adamw, precond, kfac, ekfac
//	                or shampoo; its hyperparameters; log: whether φ is log η or η
//	meta_optimizer  kind sgd, rmsprop or adam; its hyperparameters
//	K               a meta-step every K steps, none for 0
//	lambda_fsd, lambda_wsd
//	theta0          l0, l1, ... by layer; conv and fc of tiny-conv
//	phi0            lr; or l0/A, l0/B, l0/S, ... for precond
//	steps           x, t, x_tilde, sampled_targets (kfac, ekfac); loss, grad at
//	                the start of the step; theta, phi after it; meta: q, loss,
//	                fsd, wsd, dphi
//
// Without meta-steps (K = 0) what concerns them may be left out. Files that cannot
// be replayed, such as those of float32, are reported as unsupported, not as
// failed.
//
// # Relative error
//
// The error of an array is
//
//	max|got - want| / max(max|want|, 1e-8)
//
// and that of a quantity the largest over the arrays (layers) and steps; a
// number is an array of one. The bound 1e-8 below makes the comparison absolute,
// to within 1e-15, for arrays that are 0 but for the rounding of terms of order
// 1. The run is not put right at any step, so later steps also show what errors
// grew to.
//
// An array with a NaN or an infinity has an infinite error, unless the reference
// has one too: runs that diverge may be written with the numbers NaN, Infinity
// and -Infinity. A trainer refuses the step at which loss or gradient are no
// longer finite; the replay passes if it does so at the reference's step, and
// ends there.
package parity
