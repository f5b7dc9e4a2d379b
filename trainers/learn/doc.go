// Package learn has what APO learns, φ, and how it learns it: the part of a training
// step between the state of the update rule and the move of the weights.
//
// An Update is θ ← u(θ, φ, state', g). Its parameters φ are the learning rates of a
// rule (Section 4.2) or the factors of a preconditioner, which package precond has.
// Beside the rates φ may have the logarithms of other hyperparameters h that the rule's
// directions d depend on (rule.Tunable). The lookahead is then
//
//	θ'_i = θ_i - s·η·d_i(h),    ∂Q/∂log h = -s·η·Σ_i <∂d_i/∂log h, ∂Q/∂θ'_i>
//
// with the rule's own ∂d/∂log h, all of this step in it and the state before it fixed; the
// step is taken with the h that the meta-step leaves.
//
// A Learner moves φ every K steps:
//
//	Gradient    one step of a meta-optimizer down ∂Q/∂φ, the paper's Algorithm 1
//	Calibrated  one learning rate, put where the measured parabola of Q along the
//	            step has its minimum
//
// A step is
//
//	inputs, err := update.Advance(in, scale, true) // the rule's state
//	stats, err := learner.Learn(...)               // φ, by looking one step ahead
//	err = update.Move()                            // the weights
//
// Where the loss in Q is that on the next mini-batch (Settings.NextBatch) the learner is a Waiting
// one: Learn begins a meta-step, and Finish ends it with the gradient of the next step, before that
// step is taken. A Watcher is given the loss of each step that was taken.
package learn
