// Package precision says what a training keeps in 16 bits: the option
// trainers.Precision.
//
//	t, err := trainers.New(model, loss, optimizer, trainers.Precision(apoops.BFloat16))
//
// The graphs keep activations, gradients and the weights and data as ops see them in the
// format (graph.Storage); an op computes in float32 and rounds its result once. Beside
// them:
//
//	quantity                                        kept in
//	weights                                         16 bits; float32 with MasterWeights
//	gradients as optimizers get them                16 bits, unscaled in float32
//	momentum of all optimizers                      16 bits; InFloat32(Momentum)
//	second moments of Adam, AdamW, RMSprop          float32; In16Bits(SecondMoments)
//	statistics of KFAC, EKFAC and Shampoo:          16 bits; InFloat32(Factors)
//	  Ā, Ḡ, S, L, R, diagonals
//	what is computed from them: inverses, bases     16 bits; InFloat32(Inverses)
//	  and roots
//	P of APO-Precond: A, B, S; V, C, p; diagonals   16 bits; InFloat32(Phi)
//	log η, the state of what learns φ               float32 and float64
//	other state of rules of other modules           float32
//	losses, Q, λ, learning rates                    float32 and float64
//	mean and variance of batch norm                 float32
//
// Weights that are kept in 16 bits lie in arrays of float32 and are rounded at the start
// and after each step: in float16 to nearest even, in bfloat16 at random to one of the two
// neighbours, the nearer one more often. bfloat16 has 8 significant bits, so that a step
// below 2⁻⁹ of a weight is lost to the nearest. Nearest and Stochastic choose for either
// format. A training that goes on from a checkpoint rounds as its run did, unless they are
// given.
//
// State in 16 bits is rounded to nearest even after each step: the step itself is computed
// from what it has just made, in float32. The moments of rules that work by element
// (rule.Elementwise) lie in 16 bits; they are expanded and rounded block by block, in the
// pass that moves and rounds the weights. Other state lies in arrays of float32. Factors,
// inverses and P are rounded where they change, before anything is computed from them.
//
// Inverses and roots are computed in float64 from the stored factors, bases in float32,
// and rounded then. Statistics of a batch that would be beyond float16's range, and
// inverses that do not exist or are beyond it, are left out and counted
// (trainers.Trainer.Fallbacks): those from before stay in use. An element of P beyond the
// range becomes the largest number, which is counted too (Scaler.Clamped).
//
// The loss scale multiplies the loss before it is differentiated. A step whose gradient
// is not finite, while the scale is above 1, is skipped: weights, the optimizer's state, φ
// and the model's statistics do not move. It counts as a step for the data and the
// schedule, and not for the rule: the number of skipped steps is LossScale's and in
// checkpoints. float16 has a dynamic scale by default, bfloat16, with float32's range,
// none. A gradient that comes from the user's own machine (trainers.Wrap) is in float32
// and not scaled.
package precision
