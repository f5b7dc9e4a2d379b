// Package apoops has the Gorgonia ops that APO needs, and right and fast
// replacements for stock ones that are wrong or slow.
//
//	Precondition          U = B(S²∘BᵀGA)Aᵀ, the structured preconditioner of Eq. 10
//	PreconditionDiagonal  U = S²∘G
//	PreconditionFull      u = P·g
//	RateStep, RateWSD     θ' = θ - s·e^φ·d and ½‖θ'-θ‖²
//	Lookahead, Minus      θ' = θ - u
//	HalfSquaredNorm       ½ Σ‖u‖²
//	Dense, Linear         act([x,1]·W), act(x·W)
//	ReLU, Sigmoid, Tanh   activations
//	Softmax, LogSoftmax   over the last axis, safe for ±1e4 and -Inf
//	SoftmaxAlong, LogSoftmaxAlong, SparsemaxAlong
//	                      over any axis
//	Log2, InverseSqrt     functions by element
//	Sum, Max              over any axes
//	Repeat, Slice, Take, Concat
//	                      along an axis
//	SoftmaxCrossEntropy, BernoulliCrossEntropy, SquaredError
//	                      losses, means over the batch
//	CategoricalKL, BernoulliKL (and Reverse), SquaredDivergence
//	                      divergences between two outputs, means over the batch
//	Dropout               from a seed, the same mask wherever it is built
//	Cast16                rounding to float16 or bfloat16, straight-through gradient
//	Conv2D                convolution of images N×C×H×W, bias in the weights
//	MaxPool2D, AvgPool2D, GlobalAvgPool2D
//	                      pooling of images N×C×H×W
//	BatchNorm, BatchNormWith
//	                      over the batch, or with given mean and variance
//	Add, AddActivate      a+b+…, act(a+b)
//	Pad2D                 zeros around images
//	Subsample             the shortcut of residual nets without parameters
//	Reshape, Segment      copies in another shape
//	Finite                1 or 0: are all elements finite
//	InputMoment, GradientMoment, ProjectedSquares
//	                      the statistics of KFAC and EKFAC
//	SampleCategorical, SampleBernoulli, SampleNormal
//	                      targets drawn from a model's outputs
//
// All take and return nodes and work with gorgonia.Grad and a TapeMachine; a
// LispMachine runs them forwards alone and fails where a gradient is to be computed:
//
//	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(100, 784), gorgonia.WithName("x"))
//	w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(785, 10), gorgonia.WithName("w"))
//	t := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(100), gorgonia.WithName("t"))
//	logits, err := apoops.Dense(x, w, apoops.Identity)
//	loss, err := apoops.SoftmaxCrossEntropy(logits, t)
//
// Every op owns the buffer of its result and reuses it in each run, works on all
// cores and allocates nothing per step; so an op's value is valid until the next
// run, and an op must not be applied twice (Cloner makes another). A program that
// knows the order of a run may lend ops memory by turns (BufferSetter). Gradients of
// gradients are not provided. Element types are float32 and float64.
//
// Package blas finds the BLAS, package par runs the loops.
package apoops
