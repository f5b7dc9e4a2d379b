// Package rule has the update rules whose learning rates APO learns, and what a new
// one is made of. A rule moves the weights by
//
//	θ_i ← θ_i - η_i·d_i
//
// where the directions d depend on the rule's state and on the gradients g = ∇J_B(θ),
// and the learning rates η on APO. An Optimizer describes a rule by its
// hyperparameters; Start makes the rule, with its state, for the parameters of one
// training.
//
// The rules here work element by element:
//
//	sgd, sgdm  m ← μ·m + g,                        d = m
//	rmsprop    v ← β·v + (1-β)·g²,                 d = g/(√v + ε)
//	adam       m, v as averages with corrections,  d = m̂/(√v̂ + ε)
//	adamw      the same with decoupled weight decay
//
// A rule of that kind is a Kernel, a few methods on slices, and Elementwise makes the
// rest of it. Any other rule implements Rule; Base has the methods that few rules
// need. The packages curvature and precond have rules that need more than gradients.
package rule
