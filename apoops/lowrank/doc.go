// Package lowrank computes with positive matrices of low rank plus a multiple of the
// identity, the two sides of the preconditioner P = P_B⊗P_A of a layer:
//
//	P = p(I - VVᵀ) + VCVᵀ
//
// V of m×r is orthonormal, C of r×r symmetric and positive, p > 0. A side of at most
// 2r rows has P = C of m×m. It is Eq. 9 with S² of rank one: the columns of V·C^½ and
// of a basis of what V leaves are the factor, p is the square of the scale of the latter.
//
// A side is learned from rows x_n with weights w_n, the rows √w_n·x_n of a matrix T
// divided by the root of their number, see Step. Steps go towards the P with
//
//	P⁻¹ = E TᵀT + ρI
//
// in the family, E the average over the last steps, by products alone: no inverse, no
// decomposition.
//
//	side := lowrank.Side{Size: 512, Rank: 16}
//	p := lowrank.View(side, phi) // V, C and p in one slice of side.Len() elements
//	lowrank.Orthonormal(p.V, side, seed)
//	p.SetIdentity(1)             // P = I
//
// The functions write to memory of their caller, use all cores and allocate nothing
// from their second call on. Their results have the same bits on any number of cores.
package lowrank
