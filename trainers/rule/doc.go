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
//	nadamw     adamw with Nesterov's momentum
//
// or with sums over all parameters besides, such as the distance from the initial weights:
//
//	sgd-hd, adam-hd      hypergradient descent on the rate
//	hdm-hb               the same on a rate for each weight, and on the momentum
//	dog, ldog            distance over gradients
//	dadapt-adam, prodigy Adam with an estimate of the distance to the solution
//	mechanic-…           a learned factor on all that another rule has moved
//	muon                 the momentum of matrices, orthogonalised; adamw for the rest
//	soap                 adamw in the eigenbasis of Shampoo's statistics
//	psgd-kron            the momentum, whitened by triangular factors that are learned
//	schedule-free-sgd, schedule-free-adamw
//	                     steps from one sequence of weights, gradients at another; their
//	                     average is what is evaluated (Iterates)
//
// A configuration has the rule's usual hyperparameters, which may be changed before it is
// used:
//
//	o := rule.AdamW(1e-3)
//	o.Beta2 = 0.98
//	tr, err := trainers.New(model, loss, o) // trainers.AdamW is the same
//
// A rule that works element by element is a Kernel, a few methods on slices, and Elementwise makes the
// rest of it. Any other rule implements Rule; Base has the methods that few rules
// need. The packages curvature and precond have rules that need more than gradients.
package rule
