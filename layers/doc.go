// Package layers has layers and models to train: fully connected layers,
// activations, dropout, their composition, and seeded initialisers.
//
// A model is an architecture, a graph.Model: it holds no weights. Init draws
// them from a seed, Output builds y = f(x, θ) from given nodes, as often as
// needed. A Dense layer's weights are one matrix (inputs+1)×outputs whose last
// row is the bias, the homogeneous form that the preconditioners want.
//
//	model := layers.MLP(784, 1000, 1000, 10)       // ReLU between layers, linear output
//	net := layers.Sequential(
//		layers.Dense(64, 32, apoops.TanhAct),
//		layers.Dropout(0.2),
//		layers.Dense(32, 10, apoops.Identity),
//	)
//	theta, err := net.Init(1, tensor.Float32)
package layers
