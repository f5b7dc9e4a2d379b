// Package trainers trains Gorgonia models with Amortized Proximal Optimization (APO;
// Bae, Vicol, HaoChen, Grosse 2022): while the weights θ are trained, the parameters φ
// of the update rule are too. Every K steps APO looks one step ahead and descends
//
//	Q(φ) = J_B(θ'(φ)) + λ_FSD·D_F(θ', θ) + λ_WSD/2·‖θ'-θ‖²    (Eq. 8)
//
// φ is the learning rate of any rule (SGD, SGDm, RMSprop, Adam, AdamW, NAdamW, Muon, SOAP,
// PSGD-Kron, Schedule-Free, KFAC, EKFAC, SINGD, Shampoo), log η, or a learned
// preconditioner (Precond), which needs no inverse. Rules that find their step size
// themselves, to compare with, are DoG, Prodigy, DAdaptAdam and hypergradient descent (SGDHD, AdamHD, HDMHB).
//
//	tr, err := trainers.New(layers.MLP(784, 1000, 10), graph.SoftmaxCrossEntropy,
//		trainers.SGDm(0.01), trainers.EveryK(10), trainers.FSD(1))
//	batches, err := trainers.NewBatches(train, 100, 1)
//	for step := range 10 * batches.PerEpoch() {
//		stats, err := tr.Step(batches.At(step))
//	}
//	result, err := tr.Evaluate(test, 500)
//
// Wrap makes a gorgonia.Solver for a graph that is there already, FromProblem a
// Trainer of it. The packages below have what New takes, one subject each: rule,
// curvature, precond, group, learn, average, batch, schedule, record, checkpoint, datasets.
package trainers
