// Package apoops has the Gorgonia ops that APO needs, and replacements for ops of
// Gorgonia that are slow or have wrong values or gradients.
//
// An op and its gradient stand in one file. The first part of the file's name is the
// group:
//
//	activation  ReLU, Sigmoid, Tanh, Activate, LeakyReLU
//	attention   Attention softmax(q·kᵀ/√d)·v of all heads, AttentionWeights;
//	            AttentionStep: one new position, for decoding
//	axis        Slice, Take, Concat, Repeat: along an axis
//	cast        Cast16: rounding to float16 or bfloat16, straight-through gradient;
//	            CastData16: of data, without gradient
//	conv        Conv2D: images N×C×H×W, the bias in the weights; FilterMatrix,
//	            ConvBiasGradient
//	dense       Dense act([x,1]·W), Linear act(x·W), Affine act(x·W + b),
//	            LinearTransposed x·Wᵀ
//	divergence  CategoricalKL, BernoulliKL and their Reverse forms, means over the batch;
//	            TokenKL, TokenReverseKL, means over the tokens that count, with SampleTokens
//	            and ProbeTokens
//	dropout     Dropout; Random, the source of randomness
//	elem        Add, AddActivate, Product, Times, Log2, InverseSqrt, ScaledSquares: by
//	            element; InnerProduct
//	embed       Embed rows of a table by tokens, AddPositions, Lengths of sentences
//	finite      Finite: 1 if all elements are finite, otherwise 0; Unscale: gradients of
//	            a scaled loss
//	image       Pad2D, Subsample
//	joint       Joint, BeginJoint and EndJoint: sums over all members of a training;
//	            JointRows, JointGradient
//	loss        SoftmaxCrossEntropy, SoftCrossEntropy, SoftmaxNLL, BernoulliCrossEntropy,
//	            SquaredError, SquaredDivergence: means over the batch; TokenCrossEntropy
//	            with smoothed labels, over the tokens that count
//	lowrank     LowRankStep: learning P = P_B⊗P_A of low rank from rows
//	moment      InputMoment, SampledInputMoment, GradientMoment, ProjectedSquares: the statistics of KFAC
//	            and EKFAC; LayerRows, rows of the inputs and output gradients of layers
//	norm        BatchNorm, BatchNormWith given mean and variance, JointBatchNorm over the
//	            batch of all members of a training; LayerNorm
//	pool        MaxPool2D, AvgPool2D, GlobalAvgPool2D
//	precond     Precondition U = B(S²∘BᵀGA)Aᵀ (Eq. 10), PreconditionDiagonal U = S²∘G,
//	            PreconditionFull u = P·g, PreconditionRelative, PreconditionLowRank
//	            U = P_B·G·P_A; DiagonalStep: learning a diagonal from squares
//	reduce      Sum, Max: over any axes
//	reshape     Reshape, Segment: copies in another shape
//	sample      SampleCategorical, SampleBernoulli, SampleNormal: targets drawn from a
//	            model's outputs; ProbeCategorical, ProbeBernoulli, ProbeSquared:
//	            directions q of the outputs with E qqᵀ the Hessian of the divergence
//	softmax     Softmax, LogSoftmax, SparsemaxAlong
//	step        RateStep θ' = θ - s·e^φ·(d + Σ Δ_j·t_j), Lookahead θ' = θ - u, HalfSquaredNorm ½ Σ‖u‖²
//	            and RateWSD, the weight-space discrepancies ½‖θ'-θ‖²
//
// All take and return nodes and work with gorgonia.Grad and a TapeMachine. A
// LispMachine can run them forwards only: it returns an error if a gradient is needed.
// Gradients of gradients are not provided.
//
//	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(100, 784), gorgonia.WithName("x"))
//	w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(785, 10), gorgonia.WithName("w"))
//	t := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(100), gorgonia.WithName("t"))
//	logits, err := apoops.Dense(x, w, apoops.Identity)
//	loss, err := apoops.SoftmaxCrossEntropy(logits, t)
//
// Element types are float32 and float64; dtype.go is the one place that chooses
// between them. Ops run on all cores and allocate nothing per step, because each owns
// the buffer of its result. So a value is valid until the next run, and an op must not
// be applied twice: Cloner makes another. BufferSetter lets a program that knows the
// order of a run share memory among ops.
//
// A Rounder of float32 rounds what it returns to a format of 16 bits, and returns the bits
// alone if it is told to: op_round.go. What it computes with in between is float32, but
// dense layers and convolutions of bfloat16 take the bits, where the processor has
// instructions for them: bits.go. Sums are of float32 there too, in another order.
//
// A Blocker of float32 takes and gives images in blocks of 16 channels, as oneDNN works on
// them, if it is told to: op_blocks.go.
//
// What the ops of this package have in common is in op.go, op_kernel.go and op_run.go. An
// op of another package needs gorgonia.SDOp and Cloner to work everywhere.
//
// How a convolution is computed (patches, Winograd's algorithm, oneDNN) is in
// internal/conv, loops and products on bits of bfloat16 in internal/bfloat, functions of slices in internal/vmath, their inner loops in
// vector instructions in internal/simd, temporary memory in internal/scratch. Package lowrank computes with P_B and P_A, package blas opens the
// BLAS, package dnn opens oneDNN, package par runs loops on all cores.
package apoops
