// Package precond has APO-Precond (Section 4.4 of the paper), the update with a
// learned preconditioner:
//
//	θ' = θ - P·G     block by block, with momentum
//
// Symbols:
//
//	G            gradient of a block of weights, rows×cols
//	P            its preconditioner, of one of the forms of package graph/form
//	φ            the factors of P: A, B and S of Eq. 9
//	m, μ, κ      momentum, its decay and the weight of what is new
//	Q            meta-objective, Eq. 8; λ_FSD and λ_WSD weigh its discrepancies
//	D_F          function-space discrepancy (FSD), measured on a mini-batch B'
//	ε            part of the update P·G that a relative step looks ahead
//	ν            factor on the update that limits its discrepancy, at most 1
//
// It takes the place of an update rule; a schedule that ends at 0 suits it:
//
//	tr, err := trainers.New(model, loss, precond.New(0.1), // trainers.Precond is the same
//		trainers.WithSchedule(trainers.Cosine(steps, 0)))
//
// precond.New(0) finds the rate before the first step, findrate.go.
//
// Config is the recommended form: a P of low rank, learned by Newton steps from probes
// of D_F, with products alone. Its update is in update.go, its meta-step in learner.go,
// what it does to the factors in package form (Probed) and apoops.LowRankStep. Where no
// probes can be drawn it gives way to Relative.
//
// PlainConfig is the paper's form. Its P is learned in one of three ways:
//
//	Plain        a meta-optimizer descends ∂Q/∂φ from P = lr·I
//	Relative     φ takes steps along the relative gradient, from a P that is too
//	             large; ν is predicted from <G, PG>
//	TrustRegion  the same, where ν comes from the discrepancies that meta-steps
//	             measured
//
// The update is in plain_update.go, the relative meta-step in relative_learner.go,
// what it does to the factors in the Learners of package form.
package precond
