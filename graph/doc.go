// Package graph builds what Amortized Proximal Optimization (Bae, Vicol,
// HaoChen, Grosse 2022) differentiates, as static Gorgonia expression graphs.
//
// Symbols, as in the paper:
//
//	θ            weights of the model, a list of matrices (and other arrays)
//	g            ∇J_B(θ), the gradient on mini-batch B
//	φ            parameters of the update rule: log η, or A, B, S of Eq. 9
//	θ'(φ)        u(θ, φ, B), the weights after one step (the lookahead)
//	J_B          mean loss on B
//	D_F          function-space discrepancy (FSD) on an independent batch B'
//	λ_FSD, λ_WSD weights of the discrepancies in function and weight space
//
// The meta-objective is Eq. 8,
//
//	Q(φ) = J_B(θ') + λ_FSD·(1/|B'|) Σ_{x~∈B'} D_F(θ', θ, x~) + λ_WSD/2·‖θ'-θ‖².
//
// g does not depend on φ, so no second derivative is needed: one graph (Base)
// has J_B(θ) and g, a second one (Proximal) takes θ, g, φ, B and B' as inputs
// and has Q and ∂Q/∂φ. Each graph has one call of gorgonia.Grad.
//
// Package form has the forms of the preconditioner that a lookahead may learn
// (PrecondLookahead, RelativeLookahead), one for each Block.
//
// A third graph (Curvature), for the rules that want it, has the Kronecker factors
// of the Fisher matrix at θ, with targets drawn from the model's distribution.
//
// A fourth (Probe) has what a structured preconditioner is learned from: rows of the
// layers' inputs and of random output gradients on B', whose outer products are the
// Gauss-Newton matrix of D_F, and the steps of the forms that are learned from them.
//
// Two sources of models are known: a Model with a Loss (Objective), and a graph
// that the user already has (Problem), from which the lookahead's passes are
// rebuilt, and as a Standalone all others too. A weight matrix W of a layer is
// (inputs+1)×outputs, its last row the bias.
//
// Parameters marked as statistics, such as the running mean and variance of batch
// normalisation, are not learned: a model moves them with Pass.Track, once a step
// taken, and all passes read them as they are at θ. Gradients, blocks and groups
// count the learned parameters alone (Learned).
//
// A source's Storage has all its graphs keep activations, gradients and the weights that
// they see in 16 bits. SetLossScale then multiplies what is differentiated; what graphs
// hand out is unscaled.
//
//	src := graph.Objective{Model: model, Loss: graph.SoftmaxCrossEntropy}
//	params, err := model.Init(1, tensor.Float32)
//	base, err := graph.NewBase(src, params, batch, nil)
//	err = base.Feed(batch)
//	err = base.Run()
//	g, err := base.Grads()
package graph
