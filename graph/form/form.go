package form

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Form is a structure of the preconditioner P of one block of weights, whose
// gradient G has rows×cols elements: which arrays φ make up P, and how P·G is
// computed from them. A Form is a value without state, comparable with ==. Embed
// Base for the methods that a form has no answer of its own to.
type Form interface {
	// Name is the form's name in lower case, such as "kronecker".
	Name() string
	// Factors lists the arrays of φ for a gradient of rows×cols.
	Factors(rows, cols int) []Factor
	// Lookahead is U = P·G as a node in the shape of G, differentiable by φ. The
	// nodes of φ are in the order of Factors. G is a constant.
	Lookahead(phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error)
	// Start makes P = rate·I outside of graphs. Call it through the function Start.
	Start(s Setup) (Preconditioner, error)
	// Relative is how the form is learned by the relative gradient, nil where it
	// cannot be.
	Relative() Relative
	// Probed is how the form is learned from probes of the function-space discrepancy,
	// nil where it cannot be.
	Probed() Probed
	// Fallback is the form that takes this one's place where a block has more rows
	// or columns than are allowed; nil where the size of P is no concern.
	Fallback() Form
	// Note names the form in notes to users about parameters that have it for want
	// of a better one, such as "diagonal S²". It is empty for all other forms.
	Note() string
}

// Factor is one array of φ.
type Factor struct {
	Name  string // such as "A"
	Shape tensor.Shape
}

// Setup says what a preconditioner starts as.
type Setup struct {
	Rows, Cols int          // of the gradient, 1 or more
	Dtype      tensor.Dtype // of G and φ, one of apoops.Float
	Rate       float64      // P = Rate·I
	Seed       uint64       // of whatever the form draws
}

// Preconditioner is a P outside of graphs. It keeps scratch memory and must not be
// used by two goroutines at once.
type Preconditioner interface {
	// Factors are the arrays of φ in the order of Form.Factors. Whoever learns P
	// changes their elements in place.
	Factors() []*tensor.Dense
	// Multiply writes P·G to dst, in the arithmetic of Form.Lookahead and without
	// allocating from the second call on. Both are contiguous arrays of Setup.Dtype
	// with rows·cols elements, of any shape.
	Multiply(dst, g *tensor.Dense)
	// Bound is an upper bound, at least 1, of ‖P‖₂ and of how much longer than
	// max(‖G‖, 1) anything is that Multiply computes on the way. norms are upper
	// bounds of the Frobenius norms of the factors; the bound grows with each.
	Bound(norms []float64) float64
}

// Base answers for a form that is learned neither by the relative gradient nor from
// probes, needs no limit of its size and no note.
type Base struct{}

// Relative implements Form.
func (Base) Relative() Relative { return nil }

// Probed implements Form.
func (Base) Probed() Probed { return nil }

// Fallback implements Form.
func (Base) Fallback() Form { return nil }

// Note implements Form.
func (Base) Note() string { return "" }

// Start makes a form's P = rate·I and checks it: the errors are about a dtype that is
// not of apoops.Float, sizes below 1, and factors that are not those which the form
// lists.
func Start(f Form, s Setup) (Preconditioner, error) {
	switch {
	case s.Rows < 1 || s.Cols < 1:
		return nil, apoops.ErrShape.Errorf("form: %s: a gradient of %d×%d", f.Name(), s.Rows, s.Cols)
	case !apoops.IsFloat(s.Dtype):
		return nil, apoops.ErrDtype.Errorf("form: %s: dtype %v is none of apoops.Float", f.Name(), s.Dtype)
	}
	p, err := f.Start(s)
	if err != nil {
		return nil, errors.WithMessagef(err, "form: %s", f.Name())
	}
	want, got := f.Factors(s.Rows, s.Cols), p.Factors()
	if len(got) != len(want) {
		return nil, apoops.ErrShape.Errorf("form: %s starts with %d factors and lists %d", f.Name(), len(got), len(want))
	}
	for i, w := range want {
		if a := got[i]; !apoops.SameShape(a.Shape(), w.Shape) || a.Dtype() != s.Dtype {
			return nil, apoops.ErrShape.Errorf("form: %s: factor %s starts as %v of %v, it is listed as %v of %v", f.Name(), w.Name, a.Dtype(), a.Shape(), s.Dtype, w.Shape)
		}
	}
	return p, nil
}
