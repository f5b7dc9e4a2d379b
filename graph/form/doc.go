// Package form has the forms of the preconditioner P that APO learns (Section 4.4 of
// the paper): which arrays φ make up P and how it multiplies a gradient.
//
// Symbols, for a block of weights with a gradient G of n×m elements:
//
//	P        preconditioner; the update is U = P·G, θ' = θ - U
//	φ        factors, the arrays that P is made of
//	A, B, S  factors of Eq. 9: m×m, n×n and n×m
//	Q        meta-objective, Eq. 8; φ descends ∂Q/∂φ
//	Y        relative change of a factor, A(I+Y_A)
//	ε        part of the update that a relative step looks ahead
//	Ê        relative gradient divided by the curvature of Q
//	v        running averages of that curvature, by row and column
//
// The forms:
//
//	Kronecker  U = B(S²∘BᵀGA)Aᵀ    Eq. 10
//	Diagonal   U = S²∘G
//	Scalar     U = s²·G
//	Full       vec U = P·vec G     Eq. 7
//	LowRank    U = P_B·G·P_A       Eq. 9 with S of rank one, sides p(I-VVᵀ) + VCVᵀ
//
// A form does its work in two places. In a graph, Form.Lookahead is P·G as nodes, so
// that Gorgonia differentiates Q by φ. Outside of graphs, the Preconditioner that
// Form.Start makes multiplies the gradient of each step. Where a form has a Relative,
// its Learner can move φ by the relative gradient instead of a meta-optimizer. Where it
// has a Probed, φ can be moved in the graph of probes of the function-space discrepancy.
//
//	p, err := form.Start(form.Kronecker{}, form.Setup{Rows: 2, Cols: 3, Dtype: tensor.Float64, Rate: 0.25})
//	p.Multiply(u, g) // u = P·g
//	phi := p.Factors() // A, B and S, which a learner moves
//
// A new form is one file and one line in registry.go; TestForms checks it. A form
// written elsewhere works as well: put it into graph.Block.
package form
