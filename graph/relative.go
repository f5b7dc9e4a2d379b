package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// RelativeLookahead is a part of a preconditioner's step, θ' = θ - ε·P·G, for
// gradients by relative changes of P's factors: φ are Y_A and Y_B of the factors
// A(I+Y_A) and B(I+Y_B) at Y = 0, for each Kronecker block in turn, and S of the
// others. The weight-space discrepancy is that of the whole step, ½‖P·G‖². With
// λ_FSD/ε and ε·λ_WSD for weights
//
//	Q/ε = J_B(θ-εPG)/ε + λ_FSD/ε²·D_F(θ-εPG, θ) + λ_WSD/2·‖PG‖²,
//
// which is Eq. 8 for ε = 1 and for ε → 0, but for a constant, the approximation
// that Theorem 1 minimises.
//
// The lookahead's inputs are, block by block, A, B, S and G of Kronecker blocks
// and G of the others; the scale is ε.
type RelativeLookahead struct {
	Blocks []Block
}

// Phi lists the arrays of φ of a block.
func (l RelativeLookahead) Phi(b Block) []Factor {
	if b.Form != Kronecker {
		return b.Factors()
	}
	return []Factor{
		{Name: b.Name + "/Y_A", Shape: tensor.Shape{b.Cols, b.Cols}},
		{Name: b.Name + "/Y_B", Shape: tensor.Shape{b.Rows, b.Rows}},
	}
}

func (l RelativeLookahead) build(p *program, params []*Param, theta gorgonia.Nodes, wantWSD bool) (*step, error) {
	if err := CheckBlocks(l.Blocks, params); err != nil {
		return nil, err
	}
	s := &step{moved: make(gorgonia.Nodes, len(params)), scale: p.input(p.dt, tensor.ScalarShape(), "epsilon")}
	updates := make(gorgonia.Nodes, len(l.Blocks))
	for i, b := range l.Blocks {
		if b.Form == Full {
			return nil, errors.Errorf("graph: block %q: a full P has no relative steps", b.Name)
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
	s.energies = func(dphi gorgonia.Nodes) (gorgonia.Nodes, error) { return l.energies(dphi, s.scale) }
	if !wantWSD {
		return s, nil
	}
	var err error
	s.wsd, err = apoops.HalfSquaredNorm(updates...)
	return s, err
}

// update is P·G of a block.
func (l RelativeLookahead) update(p *program, s *step, b Block) (*gorgonia.Node, error) {
	var phi, given gorgonia.Nodes
	for _, f := range l.Phi(b) {
		phi = append(phi, p.input(p.dt, f.Shape, "phi/%s", f.Name))
	}
	if b.Form == Kronecker {
		for _, f := range b.Factors() {
			given = append(given, p.input(p.dt, f.Shape, "factor/%s", f.Name))
		}
	}
	g := p.input(p.dt, tensor.Shape{b.Rows, b.Cols}, "gradient/%s", b.Name)
	s.phi, s.inputs = append(s.phi, phi...), append(append(s.inputs, given...), g)
	if b.Form == Kronecker {
		return apoops.PreconditionRelative(given[0], given[1], given[2], g, phi[0], phi[1])
	}
	return b.Form.precondition(phi, g)
}

// energies are those of the Kronecker blocks, in order.
func (l RelativeLookahead) energies(dphi gorgonia.Nodes, epsilon *gorgonia.Node) (gorgonia.Nodes, error) {
	var all gorgonia.Nodes
	for _, b := range l.Blocks {
		n := len(l.Phi(b))
		if b.Form == Kronecker {
			e, err := apoops.RelativeEnergy(dphi[0], dphi[1], epsilon)
			if err != nil {
				return nil, err
			}
			all = append(all, e)
		}
		dphi = dphi[n:]
	}
	return all, nil
}
