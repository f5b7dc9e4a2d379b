// Package curvature has the update rules whose preconditioner comes from the curvature
// of the loss or from second moments of the gradient, block by block. A block is the
// weight matrix of a layer with its gradient G, rows×cols:
//
//	kfac     d = ν·(Ā + π√λ·I)⁻¹ G (Ḡ + √λ/π·I)⁻¹
//	ekfac    d = ν·U_A ((U_Aᵀ G U_G)/(S + λ)) U_Gᵀ
//	singd    d = K·Kᵀ G C·Cᵀ, with K·Kᵀ near (Ā + λI)⁻¹ and C·Cᵀ near (Ḡ + λI)⁻¹
//	shampoo  d = L^(-1/4) G R^(-1/4)
//
// with Ā and Ḡ the second moments of a layer's inputs and of the gradients by its
// outputs, U_A and U_G their eigenvectors, S the second moments of G in that basis,
// λ the damping, π the root of the ratio of the mean eigenvalues of Ā and Ḡ, ν at most 1
// (the KL clip), and L and R the sums of G Gᵀ and GᵀG. What they share:
//
//	blockwise  momentum, weight decay and the KL clip ν around a preconditioner
//	factors    the running averages of Ā and Ḡ
//	grafting   the norm of another rule's step
//	tuning     how d changes with weight decay, damping and ε, for trainers.LearnDamping
//
// A configuration has the authors' settings, which may be changed before it is used:
//
//	o := curvature.KFAC(0.01)
//	o.KLClip = 0 // APO tunes the rate
//	tr, err := trainers.New(model, loss, o)
//
// The damping of KFAC is in kfac.go, that of EKFAC in ekfac.go, their derivatives by it
// in damping.go, that of Shampoo by its ε in shampoo_epsilon.go.
package curvature
