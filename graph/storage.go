package graph

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Storage says in how many bits the graphs of a Source keep their arrays. The zero value
// keeps them in the dtype of the parameters.
//
// With Low every array that an op hands on is one of numbers of Format: the weights and
// the data as the ops see them, activations, θ', and gradients. An op computes in
// float32, its sums too, and rounds its result to nearest even, once. Products of bfloat16
// are exact in float32; where the processor multiplies them itself (dnn.BFloat16), sums are
// added up in another order, and numbers below 2⁻¹²⁶ count as zero.
//
// In float32 stay what the parameters' own arrays hold, numbers without axes (losses, Q,
// learning rates), targets, the mean and variance of batch norm and its running
// statistics, arrays within an op, φ and the state that probes learn it from, KFAC's and
// EKFAC's moments, and gradients when they are handed out, unscaled, but for
// Base.PackedGrads.
//
// Ops that are not of package apoops compute as they do. Of a Problem's graph their
// results are rounded behind them, and so are the gradients that they make; what they
// compute in between is not. Where a Model has such ops, their results are read as they
// are, and their gradients are rounded.
type Storage struct {
	// Format is that of 16 bits.
	Format apoops.Format
	// Low turns 16 bits on.
	Low bool
	// Emulated keeps the rounded numbers in arrays of float32: the same bits in twice
	// the memory, for tests.
	Emulated bool
	// Unscaled leaves the loss scale out of the graphs: SetLossScale takes 1 alone then, and
	// nothing is divided by it.
	Unscaled bool
}

// check reports a format that is unknown, and parameters that are not of float32.
func (s Storage) check(dt tensor.Dtype) error {
	if !s.Low {
		return nil
	}
	if _, err := apoops.ParseFormat(s.Format.String()); err != nil {
		return errors.Errorf("graph: storage: format %d is neither %v nor %v", int(s.Format), apoops.Float16, apoops.BFloat16)
	}
	if single, err := apoops.Choose(dt, true, false); err != nil || !single {
		return ErrDtype.Errorf("graph: storage in %v is for parameters of float32, not %v", s.Format, dt)
	}
	return nil
}

// stored is implemented by the sources that have a Storage.
type stored interface{ storage() Storage }

func (o Objective) storage() Storage { return o.Storage }
func (q *Problem) storage() Storage  { return q.Storage }

// storageOf is the Storage of a Source or Evaluable, that of others being the zero value.
func storageOf(src any) Storage {
	if s, ok := src.(stored); ok {
		return s.storage()
	}
	return Storage{}
}

// newProgramOf is newProgram for the parameters and the storage of a source.
func newProgramOf(src any, params []*Param) (*program, error) {
	p, err := newStoredProgram(storageOf(src), params)
	if err == nil {
		p.group = p.groupOf(src)
	}
	return p, err
}

func newStoredProgram(s Storage, params []*Param) (*program, error) {
	dt := params[0].Value.Dtype()
	if err := s.check(dt); err != nil {
		return nil, err
	}
	p := newProgram(dt)
	p.storage = s
	if !s.Low {
		return p, nil
	}
	p.leaf, p.single, p.packed = make(map[*gorgonia.Node]*gorgonia.Node), make(map[*gorgonia.Node]bool), make(map[*gorgonia.Node]bool)
	p.scaleBy = 1
	if s.Unscaled {
		return p, nil
	}
	p.scale = p.input(dt, tensor.ScalarShape(), "lossScale")
	return p, p.SetLossScale(1)
}

// SetLossScale multiplies what is differentiated by s in the runs that follow, so that
// small gradients do not underflow: a power of two, 1 at first. What is handed out is
// unscaled, in float32.
func (p *program) SetLossScale(s float64) error {
	fraction, exponent := math.Frexp(s)
	switch {
	case !(s > 0) || fraction != 0.5 || exponent < -125 || exponent > 126:
		return errors.Errorf("graph: the loss scale %v is no power of two from 2^-126 to 2^125", s)
	case p.scale != nil:
		p.scaleBy = s
		return letScalar(p.scale, s)
	case s != 1:
		return errors.Errorf("graph: the loss scale %v is for graphs that keep 16 bits, and not Unscaled", s)
	}
	return nil
}

// data are the nodes that models see of inputs. Integers and arrays of one element, which
// may stand for numbers, stay as they are.
func (p *program) data(inputs gorgonia.Nodes) (gorgonia.Nodes, error) {
	if !p.storage.Low {
		return inputs, nil
	}
	seen := make(gorgonia.Nodes, len(inputs))
	for i, n := range inputs {
		seen[i] = n
		if !isFloat(n) || n.Shape().TotalSize() == 1 {
			continue
		}
		var err error
		if seen[i], err = apoops.CastData16(n, p.storage.Format); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// rounded is the node that stands for n where that is no result of an op that rounds.
func (s Storage) rounded(n *gorgonia.Node) (*gorgonia.Node, error) {
	if _, ok := n.Op().(apoops.Rounder); ok || !s.Low || n.IsScalar() || !isFloat(n) || apoops.IsJointSum(n.Op()) {
		return n, nil
	}
	return apoops.Cast16(n, s.Format)
}

// leaves are the leaves behind the nodes that weights returned.
func (p *program) leaves(theta gorgonia.Nodes) gorgonia.Nodes {
	all := make(gorgonia.Nodes, len(theta))
	for i, n := range theta {
		if all[i] = n; p.leaf[n] != nil {
			all[i] = p.leaf[n]
		}
	}
	return all
}

// differentiate is the function of that name for a cost that is scaled, and nodes that
// weights returned.
func (p *program) differentiate(cost *gorgonia.Node, wrt gorgonia.Nodes) (gorgonia.Nodes, error) {
	return p.differentiateEach(cost, wrt, nil)
}

// differentiateEach is differentiate that tells of each gradient as soon as it is built.
func (p *program) differentiateEach(cost *gorgonia.Node, wrt gorgonia.Nodes, done func(i int, grad *gorgonia.Node) error) (gorgonia.Nodes, error) {
	return differentiateFrom(cost, p.scale, p.leaves(wrt), p.storage.rounded, done)
}

// unscaled are gradients as they are handed out, of float32.
func (p *program) unscaled(grads ...*gorgonia.Node) (gorgonia.Nodes, error) {
	if p.scale == nil {
		return grads, nil
	}
	all := make(gorgonia.Nodes, len(grads))
	for i, n := range grads {
		var err error
		if all[i], err = apoops.Unscale(n, p.scale); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// inSingle has the results of the nodes that build makes stay in float32.
func (p *program) inSingle(build func() error) error {
	if !p.storage.Low {
		return build()
	}
	before := make(map[*gorgonia.Node]bool)
	for _, n := range p.g.AllNodes() {
		before[n] = true
	}
	err := build()
	for _, n := range p.g.AllNodes() {
		if !before[n] {
			p.single[n] = true
		}
	}
	return err
}

// roundResults tells the ops of g how to keep their results. What others than the ops of
// package apoops read is of float32, and so are the values but for those of packed.
func (p *program) roundResults(g *gorgonia.ExprGraph, values gorgonia.Nodes) error {
	if !p.storage.Low {
		return nil
	}
	read, elsewhere := make(map[*gorgonia.Node]bool), make(map[*gorgonia.Node]bool)
	for _, n := range values {
		read[n], elsewhere[n] = true, !p.packed[n]
	}
	for _, n := range g.AllNodes() {
		_, rounder := n.Op().(apoops.Rounder)
		for _, c := range children(n) {
			read[c] = true
			elsewhere[c] = elsewhere[c] || !rounder
		}
	}
	for _, n := range g.AllNodes() {
		op, ok := n.Op().(apoops.Rounder)
		if !ok {
			continue
		}
		keep := apoops.KeepPacked
		switch {
		case p.single[n] || !isFloat(n): // integers, of operands that may be packed
			keep = apoops.KeepSingle
		case p.storage.Emulated || elsewhere[n] || !read[n]:
			keep = apoops.KeepRounded
		}
		if err := op.RoundResult(p.storage.Format, keep); err != nil {
			return errors.WithMessage(err, "graph: storage")
		}
	}
	return nil
}

// keepSingle has the result of a node stay in float32.
func (p *program) keepSingle(n *gorgonia.Node) {
	if p.storage.Low {
		p.single[n] = true
	}
}

// inputsAndWeights are the nodes that models see of inputs and of the parameters.
func (p *program) inputsAndWeights(inputs gorgonia.Nodes, params []*Param) (x, theta gorgonia.Nodes, err error) {
	if theta, err = p.weights(params, "theta"); err != nil {
		return nil, nil, err
	}
	x, err = p.data(inputs)
	return x, theta, err
}
