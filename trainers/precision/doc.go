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
//	momentum of SGD, Adam, AdamW, RMSprop           16 bits; InFloat32(Momentum)
//	second moments of Adam, AdamW, RMSprop          float32; In16Bits(SecondMoments)
//	φ (log η; A, B, S; low-rank factors)            float32
//	momentum, factors, inverses, bases and roots    float32
//	  of KFAC, EKFAC and Shampoo; momentum of
//	  APO-Precond; state of rules of other modules
//	losses, Q, λ, learning rates                    float32 and float64
//	mean and variance of batch norm                 float32
//
// Weights that are kept in 16 bits lie in arrays of float32 and are rounded at the start
// and after each step, to nearest even or, with Stochastic, at random: bfloat16 has 8
// significant bits, so that a step below 2⁻⁹ of a weight is lost to the nearest.
//
// State in 16 bits lies in arrays of float32 too and is rounded to nearest even after each
// step: the step itself is computed from what it has just made, in float32.
//
// The loss scale multiplies the loss before it is differentiated. A step whose gradient
// is not finite, while the scale is above 1, is skipped: weights, the optimizer's state, φ
// and the model's statistics do not move. It counts as a step for the data and the
// schedule, and not for the rule: the number of skipped steps is LossScale's and in
// checkpoints. float16 has a dynamic scale by default, bfloat16, with float32's range,
// none. A gradient that comes from the user's own machine (trainers.Wrap) is in float32
// and not scaled.
package precision
