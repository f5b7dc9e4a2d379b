package graph

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Block is a group of parameters that one preconditioner treats as a matrix of
// Rows×Cols: their elements one after the other, in row-major order. A layer's
// weights are a block of their own; a weight and a bias matrix of a user's
// graph make one block, the bias its last row; a full P has one block of all.
type Block struct {
	Name       string
	Params     []int // numbers of the parameters among the Learned ones, in order
	Rows, Cols int
	Form       Form // of the preconditioner that APO-Precond learns
	// Matrix marks the weight matrix of a layer: KFAC, EKFAC and Shampoo treat no
	// other block as a matrix.
	Matrix bool
}

// Factors lists the block's φ in the order of its form, such as "fc1/A". A block
// without a form has none.
func (b Block) Factors() []Factor {
	if b.Form == nil {
		return nil
	}
	return b.named(b.Form.Factors(b.Rows, b.Cols))
}

// takesRows reports whether the block is learned from rows where it has them: its form
// may want squares.
func (b Block) takesRows() bool {
	return b.Form == nil || b.Form.Probed() == nil || b.Form.Probed().Rows()
}

// named puts the block's name before those of the factors.
func (b Block) named(factors []Factor) []Factor {
	all := make([]Factor, len(factors))
	for i, f := range factors {
		all[i] = Factor{Name: fmt.Sprintf("%s/%s", b.Name, f.Name), Shape: f.Shape}
	}
	return all
}

// moved fills in θ' of the block's parameters from its update u, times ε where
// that is not nil.
func (b Block) moved(moved gorgonia.Nodes, u *gorgonia.Node, params []*Param, theta gorgonia.Nodes, epsilon *gorgonia.Node) (err error) {
	lo := 0
	for _, i := range b.Params {
		part, shape := u, params[i].Value.Shape()
		if !shape.Eq(tensor.Shape{b.Rows, b.Cols}) {
			if part, err = apoops.Segment(u, lo, shape...); err != nil {
				return err
			}
		}
		lo += shape.TotalSize()
		if epsilon == nil {
			moved[i], err = apoops.Lookahead(theta[i], part)
		} else {
			moved[i], err = apoops.ScaledLookahead(theta[i], part, epsilon)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckBlocks reports blocks that do not have each of the learned parameters once,
// sizes that are not those of their parameters, missing forms, and names that are
// missing or repeated.
func CheckBlocks(blocks []Block, params []*Param) error {
	owner := make([]string, len(params))
	names := make(map[string]bool, len(blocks))
	for k, b := range blocks {
		if b.Name == "" || names[b.Name] {
			return errors.Errorf("graph: block %d: its name %q is empty or another's", k, b.Name)
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
	for _, b := range blocks {
		if b.Form == nil {
			return errors.Errorf("graph: block %q has no form: set one, such as Kronecker or Diagonal", b.Name)
		}
	}
	return nil
}

// BlockPerParam gives each learned parameter a block: Eq. 9's form to weight
// matrices, a diagonal to the others.
func BlockPerParam(params []*Param) []Block {
	params = Learned(params)
	blocks := make([]Block, len(params))
	for i, p := range params {
		b := Block{Name: p.Name, Params: []int{i}, Rows: 1, Cols: p.Value.Shape().TotalSize(), Form: defaultForm(p.Matrix), Matrix: p.Matrix}
		if p.Matrix {
			b.Rows, b.Cols = p.Value.Shape()[0], p.Value.Shape()[1]
		}
		blocks[i] = b
	}
	return blocks
}

// OneBlock puts all learned parameters under one full matrix P.
func OneBlock(params []*Param) []Block {
	b := Block{Name: "theta", Rows: 1, Form: wholeForm()}
	for i, p := range Learned(params) {
		b.Params = append(b.Params, i)
		b.Cols += p.Value.Shape().TotalSize()
	}
	return []Block{b}
}
