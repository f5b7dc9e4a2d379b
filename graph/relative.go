package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// RelativeLookahead is a part of a preconditioner's step, θ' = θ - ε·P·G, for the
// relative gradient of P's factors: φ are those of each block's form.Relative in
// turn, such as Y_A and Y_B of the factors A(I+Y_A) and B(I+Y_B) at Y = 0. The
// weight-space discrepancy is that of the whole step, ½‖P·G‖². With λ_FSD/ε and
// ε·λ_WSD for weights
//
//	Q/ε = J_B(θ-εPG)/ε + λ_FSD/ε²·D_F(θ-εPG, θ) + λ_WSD/2·‖PG‖²,
//
// which is Eq. 8 for ε = 1 and for ε → 0, but for a constant, the approximation
// that Theorem 1 minimises.
//
// The lookahead's inputs are, block by block, the constants of its form.Relative,
// such as A, B and S, and G; the scale is ε.
type RelativeLookahead struct {
	Blocks []Block
}

func (l RelativeLookahead) build(p *program, params []*Param, theta gorgonia.Nodes, wantWSD bool) (*step, error) {
	if err := CheckBlocks(l.Blocks, params); err != nil {
		return nil, err
	}
	s := &step{moved: make(gorgonia.Nodes, len(params)), scale: p.input(p.dt, tensor.ScalarShape(), "epsilon")}
	updates := make(gorgonia.Nodes, len(l.Blocks))
	for i, b := range l.Blocks {
		if b.Form.Relative() == nil {
			return nil, errors.Errorf("graph: block %q: a %s preconditioner is not learned by the relative gradient", b.Name, b.Form.Name())
		}
		u, err := l.update(p, s, b)
		if err != nil {
			return nil, errors.Wrapf(err, "graph: preconditioner of %q", b.Name)
		}
		updates[i] = u
		if err := b.moved(s.moved, u, params, theta, s.scale); err != nil {
			return nil, errors.Wrapf(err, "graph: lookahead of %q", b.Name)
		}
	}
	s.energies = func(dphi gorgonia.Nodes) ([]gorgonia.Nodes, error) { return l.energies(dphi, s.scale) }
	if !wantWSD {
		return s, nil
	}
	var err error
	s.wsd, err = apoops.HalfSquaredNorm(updates...)
	return s, err
}

// update is P·G of a block.
func (l RelativeLookahead) update(p *program, s *step, b Block) (*gorgonia.Node, error) {
	relative := b.Form.Relative()
	var phi, constants gorgonia.Nodes
	for _, f := range b.named(relative.Phi(b.Rows, b.Cols)) {
		phi = append(phi, p.input(p.dt, f.Shape, "phi/%s", f.Name))
	}
	for _, f := range b.named(relative.Constants(b.Rows, b.Cols)) {
		constants = append(constants, p.input(p.dt, f.Shape, "factor/%s", f.Name))
	}
	g := p.input(p.dt, tensor.Shape{b.Rows, b.Cols}, "gradient/%s", b.Name)
	s.phi, s.inputs = append(s.phi, phi...), append(append(s.inputs, constants...), g)
	return relative.Lookahead(constants, phi, g)
}

// energies are those of each block.
func (l RelativeLookahead) energies(dphi gorgonia.Nodes, epsilon *gorgonia.Node) ([]gorgonia.Nodes, error) {
	all := make([]gorgonia.Nodes, len(l.Blocks))
	for i, b := range l.Blocks {
		relative := b.Form.Relative()
		n := len(relative.Phi(b.Rows, b.Cols))
		var err error
		if all[i], err = relative.Energies(dphi[:n:n], epsilon); err != nil {
			return nil, errors.WithMessagef(err, "graph: relative gradient of %q", b.Name)
		}
		dphi = dphi[n:]
	}
	return all, nil
}
