package graph

import "github.com/apo-gorgonia/apo/graph/form"

// Form is the form of a block's preconditioner, see package form.
type Form = form.Form

// Factor is one array of φ.
type Factor = form.Factor

// The forms, for a gradient G of n×m elements.
var (
	Kronecker Form = form.Kronecker{}                     // U = B(S²∘BᵀGA)Aᵀ, Eq. 10
	Diagonal  Form = form.Diagonal{}                      // U = S²∘G
	Scalar    Form = form.Scalar{}                        // U = s²·G
	Full      Form = form.Full{}                          // vec U = P·vec G, Eq. 7, P of (n·m)² elements
	LowRank   Form = form.LowRank{Rank: form.DefaultRank} // U = P_B·G·P_A, each p(I-VVᵀ) + VCVᵀ
)

// defaultForm is the form of a block where the user sets none.
func defaultForm(matrix bool) Form {
	if matrix {
		return form.Kronecker{}
	}
	return form.Diagonal{}
}

// Narrow puts the form of that rank in the place of Eq. 9's; all other forms stay.
func Narrow(f Form, rank int) Form {
	if f == Kronecker {
		return form.LowRank{Rank: rank}
	}
	return f
}

// wholeForm is the form of a block of all parameters.
func wholeForm() Form { return form.Full{} }

// RowlessForm takes the place of a form that is learned from rows where a block has none:
// a multiple of the identity.
func RowlessForm() Form { return form.Scalar{} }
