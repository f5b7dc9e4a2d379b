// Package trainers trains Gorgonia models with Amortized Proximal Optimization
// (APO; Bae, Vicol, HaoChen, Grosse 2022): while the weights θ are trained, the
// parameters φ of the update rule are too. Every K steps APO looks one step
// ahead and descends the proximal objective (Eq. 8)
//
//	Q(φ) = J_B(θ'(φ)) + λ_FSD·D_F(θ', θ) + λ_WSD/2·‖θ'-θ‖²
//
// where φ is
//
//	log η     the learning rate of any rule but APO-Precond, one for all
//	          parameters or one for each group (Section 4.2)
//	A, B, S   of a structured preconditioner (A⊗B)diag(vec S)²(A⊗B)ᵀ for each
//	          layer (Precond; Section 4.4), which needs no matrix inverse
//
// Calibrated learns one rate in another way, without a backward pass: it measures
// Q's parabola along the step, puts the rate at its minimum before step 0, from
// wherever it starts, then tracks that and lowers the rate by a growing λ_FSD.
//
//	trainers.Calibrated(trainers.CalibratedConfig{Horizon: steps})
//
// The update rules, by their names for NewOptimizer:
//
//	sgd, sgdm, rmsprop, adam, adamw
//	          element by element
//	kfac      Ā⁻¹ g Ḡ⁻¹, natural gradient descent with Kronecker factors
//	ekfac     the same in the factors' eigenbases, with scalings of its own
//	shampoo   L^(-1/4) g R^(-1/4), from second moments of the gradient alone
//	precond   APO-Precond, by steps down ∂Q/∂φ
//	precond-relative
//	          APO-Precond by the relative gradient, from a P that is too large
//	precond-trust-region
//	          the same with steps limited by a trust region in function space,
//	          for convolutional nets
//
// Weight decay, a setting of all but APO-Precond, skips nothing: it concerns
// biases, which are rows of the weight matrices, and scales and shifts as well.
//
// A Trainer brings its own loop; Wrap makes a gorgonia.Solver for a graph that
// is there already, and FromProblem a Trainer of it.
//
//	tr, err := trainers.New(layers.MLP(784, 1000, 1000, 10), graph.SoftmaxCrossEntropy,
//		trainers.SGDm(0.01), trainers.EveryK(10), trainers.FSD(1))
//	batches, err := trainers.NewBatches(train, 100, 1)
//	for step := range 10 * batches.PerEpoch() {
//		stats, err := tr.Step(batches.At(step))
//		...
//	}
//	result, err := tr.Evaluate(test, 500) // loss and accuracy
//
// Batches takes any Dataset: Data, held as tensors, or one that makes its rows on
// demand, from bytes or with random augmentation. Batches.Stream makes the same
// batches in the background.
package trainers
