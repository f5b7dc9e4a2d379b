package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Lookahead is a form of update θ' = u(θ, φ, B) whose parameters φ are learned.
type Lookahead interface {
	// build adds θ'(φ) of the learned parameters to the program, and the
	// weight-space discrepancy if it is wanted.
	build(p *program, params []*Param, theta gorgonia.Nodes, wantWSD bool) (*step, error)
}

// step is one lookahead in a graph.
type step struct {
	moved  gorgonia.Nodes // θ'
	wsd    *gorgonia.Node // ½‖θ'-θ‖², nil where it is not wanted
	phi    gorgonia.Nodes // what Q is differentiated by
	inputs gorgonia.Nodes // directions or gradients, fed at each run
	scale  *gorgonia.Node // the schedule's factor or ε, nil where there is none
	// tangents is how many of phi, the last, are distances from the φ at which the inputs
	// were computed.
	tangents int
	// energies makes nodes of what a run computes for each block besides the
	// gradients dphi.
	energies func(dphi gorgonia.Nodes) ([]gorgonia.Nodes, error)
}

// RateLookahead is θ'_i = θ_i - s·η_k·d_i for a direction d_i that the base
// optimizer chose, with one rate η_k for each group k of learned parameters and the
// schedule's factor s. φ_k = log η_k, or η_k itself where Linear is set. φ are
// scalars, fed as tensors of shape (1).
//
// Behind the rates φ has Tangents more scalars ψ_j that the directions depend on, such as
// the logarithm of a damping. The inputs are d_i and t_ij = ∂d_i/∂ψ_j, all d before all
// t_i1 and so on, as they are at the ψ that is fed: there θ' and ∂Q/∂ψ are exact.
type RateLookahead struct {
	// Group[i] is the group of learned parameter i; groups count from 0 without gaps.
	Group    []int
	Linear   bool
	Tangents int
}

// Groups is the number of groups.
func (r RateLookahead) Groups() int {
	n := 0
	for _, k := range r.Group {
		n = max(n, k+1)
	}
	return n
}

// Check reports groups that are not numbered 0, 1, 2, … for that many parameters.
func (r RateLookahead) Check(params int) error {
	if len(r.Group) != params {
		return errors.Errorf("graph: %d group numbers for %d parameters", len(r.Group), params)
	}
	members, groups := make([]int, params), min(r.Groups(), params)
	for i, k := range r.Group {
		if k < 0 {
			return errors.Errorf("graph: parameter %d has the group %d", i, k)
		}
		if k >= params {
			groups = params // which leaves a gap below
			continue
		}
		members[k]++
	}
	for k, n := range members[:groups] {
		if n == 0 {
			return errors.Errorf("graph: group %d has no parameters", k)
		}
	}
	return nil
}

func (r RateLookahead) build(p *program, params []*Param, theta gorgonia.Nodes, wantWSD bool) (*step, error) {
	if err := r.Check(len(params)); err != nil {
		return nil, err
	}
	s := &step{scale: p.input(p.dt, tensor.ScalarShape(), "schedule"), tangents: r.Tangents}
	for k := range r.Groups() {
		s.phi = append(s.phi, p.input(p.dt, tensor.ScalarShape(), "phi/%d", k))
	}
	rates := s.phi
	for j := range r.Tangents {
		s.phi = append(s.phi, p.input(p.dt, tensor.ScalarShape(), "psi/%d", j))
	}
	for j := range 1 + r.Tangents {
		for _, q := range params {
			s.inputs = append(s.inputs, p.input(p.dt, q.Value.Shape(), "direction/%d/%s", j, q.Name))
		}
	}
	for i, q := range params {
		var tangents []apoops.Tangent
		for j, psi := range s.phi[len(rates):] {
			tangents = append(tangents, apoops.Tangent{By: psi, D: s.inputs[(1+j)*len(params)+i]})
		}
		moved, err := apoops.RateStep(theta[i], s.inputs[i], rates[r.Group[i]], s.scale, r.Linear, tangents...)
		if err != nil {
			return nil, errors.Wrapf(err, "graph: lookahead of %q", q.Name)
		}
		s.moved = append(s.moved, moved)
	}
	if !wantWSD {
		return s, nil
	}
	return s, r.discrepancy(s, rates)
}

// discrepancy adds the weight-space discrepancy to a step: the sum over the groups.
func (r RateLookahead) discrepancy(s *step, rates gorgonia.Nodes) error {
	for k, phi := range rates {
		grouped := make([]gorgonia.Nodes, 1+r.Tangents)
		for i, group := range r.Group {
			if group != k {
				continue
			}
			for j := range grouped {
				grouped[j] = append(grouped[j], s.inputs[j*len(r.Group)+i])
			}
		}
		w, err := apoops.RateWSD(phi, s.scale, r.Linear, grouped[0], s.phi[len(rates):], grouped[1:])
		if err != nil {
			return err
		}
		if s.wsd == nil {
			s.wsd = w
		} else if s.wsd, err = gorgonia.Add(s.wsd, w); err != nil {
			return errors.Wrap(err, "graph: weight-space discrepancy")
		}
	}
	return nil
}

// Free is the lookahead of exact proximal minimisation (Eq. 3): θ' itself is
// the unknown, and φ are the parameters u, fed in the shapes of θ.
type Free struct{}

func (Free) build(p *program, params []*Param, theta gorgonia.Nodes, wantWSD bool) (*step, error) {
	s := &step{}
	moves := make(gorgonia.Nodes, len(params))
	for i, q := range params {
		u := p.input(p.dt, q.Value.Shape(), "u/%s", q.Name)
		s.phi = append(s.phi, u)
		var err error
		if moves[i], err = apoops.Minus(u, theta[i]); err != nil {
			return nil, err
		}
	}
	s.moved = s.phi
	if !wantWSD {
		return s, nil
	}
	var err error
	s.wsd, err = apoops.HalfSquaredNorm(moves...)
	return s, err
}

// PrecondLookahead is θ' = θ - P·G with a learned preconditioner P, block by
// block (Eq. 7, Eq. 10).
type PrecondLookahead struct {
	Blocks []Block
}

func (l PrecondLookahead) build(p *program, params []*Param, theta gorgonia.Nodes, wantWSD bool) (*step, error) {
	if err := CheckBlocks(l.Blocks, params); err != nil {
		return nil, err
	}
	s := &step{moved: make(gorgonia.Nodes, len(params))}
	updates := make(gorgonia.Nodes, len(l.Blocks))
	for i, b := range l.Blocks {
		g := p.input(p.dt, tensor.Shape{b.Rows, b.Cols}, "gradient/%s", b.Name)
		var phi gorgonia.Nodes
		for _, f := range b.Factors() {
			phi = append(phi, p.input(p.dt, f.Shape, "phi/%s", f.Name))
		}
		u, err := b.Form.Lookahead(phi, g)
		if err != nil {
			return nil, errors.Wrapf(err, "graph: preconditioner of %q", b.Name)
		}
		s.inputs, s.phi, updates[i] = append(s.inputs, g), append(s.phi, phi...), u
		if err := b.moved(s.moved, u, params, theta, nil); err != nil {
			return nil, errors.Wrapf(err, "graph: lookahead of %q", b.Name)
		}
	}
	if !wantWSD {
		return s, nil
	}
	var err error
	s.wsd, err = apoops.HalfSquaredNorm(updates...)
	return s, err
}
