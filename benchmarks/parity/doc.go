// Package parity replays reference runs, called fixtures, through the graphs,
// virtual machines and rules of this module, and compares every number.
//
// A fixture is a JSON file. It has a model, a loss, an update rule with its
// meta-optimizer, the initial weights and φ, and for each step the batches and the
// resulting numbers. Every layer is a matrix (inputs+1)×outputs whose last row is the
// bias, written row by row.
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
// Without meta-steps (K = 0) their fields may be left out. Files that cannot be
// replayed, such as those in float32, are reported as unsupported, not as failed.
//
// # Relative error
//
// The error of an array is
//
//	max|got - want| / max(max|want|, 1e-8)
//
// and the error of a quantity is the largest over its arrays (layers) and the steps. A
// number is an array of one element. The lower bound 1e-8 of the scale makes the
// comparison absolute, to within 1e-15, for arrays whose elements are 0 except for
// rounding. The replay is never reset to the reference, so errors may grow from step
// to step.
//
// An array with a NaN or an infinity has an infinite error unless the reference has one
// too: diverged runs may have the numbers NaN, Infinity and -Infinity. A trainer
// refuses a step whose loss or gradient is not finite. The replay passes if it does so
// at the same step as the reference, and ends there.
//
// A fixture is replayed in two steps:
//
//	fixture, err := parity.Decode(data)
//	result, err := parity.Replay(fixture)
//	fmt.Println(result.Passed(), result)
package parity
