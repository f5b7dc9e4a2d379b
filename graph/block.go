package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// Form is the form of a block's preconditioner.
type Form int

// The forms, for a gradient G of n×m elements.
const (
	Kronecker Form = iota // U = B(S²∘BᵀGA)Aᵀ, Eq. 10
	Diagonal              // U = S²∘G
	Scalar                // U = s²·G
	Full                  // vec U = P·vec G, Eq. 7, P of (n·m)² elements
)

// String is the form's name in lower case.
func (f Form) String() string {
	if !f.known() {
		return "unknown form"
	}
	return [...]string{"kronecker", "diagonal", "scalar", "full"}[f]
}

func (f Form) known() bool { return f >= Kronecker && f <= Full }

func (f Form) precondition(phi gorgonia.Nodes, g *gorgonia.Node) (*gorgonia.Node, error) {
	switch f {
	case Kronecker:
		return apoops.Precondition(phi[0], phi[1], phi[2], g)
	case Full:
		return apoops.PreconditionFull(phi[0], g)
	}
	return apoops.PreconditionDiagonal(phi[0], g)
}

// Block is a group of parameters that one preconditioner treats as a matrix of
// Rows×Cols: their elements one after the other, in row-major order. A layer's
// weights are a block of their own; a weight and a bias matrix of a user's
// graph make one block, the bias its last row; a full P has one block of all.
type Block struct {
	Name       string
	Params     []int // numbers of the parameters among the Learned ones, in order
	Rows, Cols int
	Form       Form
}

// CheckBlocks reports blocks that do not have each of the learned parameters once,
// sizes that are not those of their parameters, unknown forms, and names that are
// missing or repeated.
func CheckBlocks(blocks []Block, params []*Param) error {
	owner := make([]string, len(params))
	names := make(map[string]bool, len(blocks))
	for k, b := range blocks {
		switch {
		case b.Name == "" || names[b.Name]:
			return errors.Errorf("graph: block %d: its name %q is empty or another's", k, b.Name)
		case !b.Form.known():
			return errors.Errorf("graph: block %q has the form %d, which there is not", b.Name, b.Form)
		}
		names[b.Name] = true
		size := 0
		for _, i := range b.Params {
			if i < 0 || i >= len(params) {
				return errors.Errorf("graph: block %q names parameter %d of %d", b.Name, i, len(params))
			}
			if owner[i] != "" {
				return errors.Errorf("graph: parameter %q is in the blocks %q and %q", params[i].Name, owner[i], b.Name)
			}
			owner[i] = b.Name
			size += params[i].Value.Shape().TotalSize()
		}
		if b.Rows < 1 || b.Cols < 1 || size%b.Rows != 0 || size/b.Rows != b.Cols {
			return ErrShape.Errorf("graph: block %q of %d×%d has parameters of %d elements", b.Name, b.Rows, b.Cols, size)
		}
	}
	for i, o := range owner {
		if o == "" {
			return errors.Errorf("graph: parameter %q is in no block", params[i].Name)
		}
	}
	return nil
}

// BlockPerParam gives each learned parameter a block: Eq. 9's form to matrices,
// a diagonal to the others.
func BlockPerParam(params []*Param) []Block {
	params = Learned(params)
	blocks := make([]Block, len(params))
	for i, p := range params {
		b := Block{Name: p.Name, Params: []int{i}, Rows: 1, Cols: p.Value.Shape().TotalSize(), Form: Diagonal}
		if p.Matrix {
			b.Rows, b.Cols, b.Form = p.Value.Shape()[0], p.Value.Shape()[1], Kronecker
		}
		blocks[i] = b
	}
	return blocks
}

// OneBlock puts all learned parameters under one full matrix P.
func OneBlock(params []*Param) []Block {
	b := Block{Name: "theta", Rows: 1, Form: Full}
	for i, p := range Learned(params) {
		b.Params = append(b.Params, i)
		b.Cols += p.Value.Shape().TotalSize()
	}
	return []Block{b}
}
