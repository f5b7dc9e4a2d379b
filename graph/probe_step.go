package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph/form"
)

// HasProbe reports whether directions of the source's outputs, or targets, can be drawn:
// without, NewProbe is an ErrNoProbe. Of sources from outside this package it is not
// known; for them it is true.
func HasProbe(src Source) bool {
	switch s := src.(type) {
	case Objective:
		return s.divergence().Probe != nil || s.Loss.Sample != nil
	case *Problem:
		return s.Divergence.Probe != nil || s.Sample != nil
	case *Standalone:
		return HasProbe(s.Problem)
	}
	return true
}

// probeStep is a block's step in the graph of a Probe: what it reads, as the learner has
// it, and the nodes of what takes its place.
type probeStep struct {
	form.ProbeStep
	learner form.ProbeLearner
	now     []*tensor.Dense
}

// next are the nodes that take the place of now.
func (s *probeStep) next() gorgonia.Nodes {
	return append(append(gorgonia.Nodes{}, s.Phi...), s.State...)
}

// outputs are all nodes whose values are read.
func (s *probeStep) outputs() gorgonia.Nodes {
	all := append(s.next(), s.Energy)
	if s.Measures != nil {
		all = append(all, s.Measures)
	}
	return all
}

// addStep adds a block's step by its form.
func (k *Probe) addStep(p *probed, b Block, l form.ProbeLearner) (err error) {
	learned := form.Probed(nil)
	if b.Form != nil {
		learned = b.Form.Probed()
	}
	switch {
	case learned == nil || l == nil:
		return errors.New("its form is not learned from probes, or it has no learner")
	case learned.Rows() != (p.diagonal == nil):
		return errors.Errorf("the form %s is learned from rows: %v; the weights have rows: %v", b.Form.Name(), learned.Rows(), p.diagonal == nil)
	}
	if k.hyper == nil {
		k.hyper = k.input(k.dt, tensor.Shape{3}, "hyper")
		if err := gorgonia.Let(k.hyper, tensor.New(tensor.Of(k.dt), tensor.WithShape(3))); err != nil {
			return errors.Wrap(err, "binding the numbers of the step")
		}
	}
	s := &probeStep{learner: l, now: l.Phi()}
	for _, a := range l.State() {
		s.now = append(s.now, a.Value)
	}
	factors := append(append([]Factor{}, learned.Phi(b.Rows, b.Cols)...), learned.State(b.Rows, b.Cols)...)
	if len(factors) != len(s.now) {
		return ErrShape.Errorf("the learner has %d arrays, the form %s lists %d", len(s.now), b.Form.Name(), len(factors))
	}
	var nodes gorgonia.Nodes
	for _, f := range b.named(factors) {
		nodes = append(nodes, k.input(k.dt, f.Shape, "probed/%s", f.Name))
	}
	if err := letAll("array of φ or state", nodes, s.now); err != nil {
		return err
	}
	n := len(l.Phi())
	in := form.ProbeInput{X: p.x, Z: p.z, Squares: p.diagonal, Phi: nodes[:n], State: nodes[n:], Hyper: k.hyper}
	if s.ProbeStep, err = learned.Step(in); err != nil {
		return err
	}
	if got := s.next(); len(got) != len(s.now) {
		return ErrShape.Errorf("the step of the form %s has %d arrays, not %d", b.Form.Name(), len(got), len(s.now))
	}
	p.step = s
	return nil
}

// Step runs the graph of a configuration with Learners on the batch at hand. The steps
// of φ are for the damping d = λ_WSD/λ_FSD, averages of the given decay and a relative
// step tau of subspaces (see package form). φ stays as it is until Move.
func (k *Probe) Step(d, decay, tau float64) error {
	if k.hyper == nil {
		return errors.New("graph: probe: there are no learners")
	}
	set, err := apoops.Choose(k.dt, setNumbers[float32], setNumbers[float64])
	if err != nil {
		return errors.WithMessage(err, "graph: probe")
	}
	set(k.hyper.Value().(*tensor.Dense), d, decay, tau)
	return k.Run()
}

func setNumbers[T apoops.Float](to *tensor.Dense, numbers ...float64) {
	for i, v := range numbers {
		apoops.Elements[T](to)[i] = T(v)
	}
}

// Move has φ and the learners' state take the step of the last run, block by block. A
// block whose step is not finite stays as it is and is named in an ErrNotFinite, the
// others move.
func (k *Probe) Move() error {
	var failed error
	for _, p := range k.blocks {
		if p.step == nil {
			return errors.New("graph: probe: there are no learners")
		}
		next, err := denseValues(p.step.next())
		if err != nil {
			return err
		}
		move, err := apoops.Choose(k.dt, moveFinite[float32], moveFinite[float64])
		if err != nil {
			return errors.WithMessage(err, "graph: probe")
		}
		if !move(p.step.now, next) && failed == nil {
			failed = ErrNotFinite.Errorf("graph: probe of %q: the step of its preconditioner is not finite", p.name)
		}
	}
	return failed
}

// moveFinite copies the next arrays if all of them are finite.
func moveFinite[T apoops.Float](now, next []*tensor.Dense) bool {
	for _, a := range next {
		if !apoops.AllFinite(apoops.Elements[T](a)) {
			return false
		}
	}
	for i, a := range next {
		copy(apoops.Elements[T](now[i]), apoops.Elements[T](a))
	}
	return true
}

// Energy is the mean eigenvalue of F of block i in the last run: 1/(d + Energy) is
// where P = rate·I starts. Without Learners it is NaN.
func (k *Probe) Energy(i int) float64 {
	if k.blocks[i].step == nil {
		return scalar(nil)
	}
	return scalar(k.blocks[i].step.Energy.Value())
}

// OutputCurvature is the mean over B' of ‖q‖² for directions q of one example's outputs
// in the last run, an estimate of the trace of ∂²D/∂y'²: exactly the number of outputs
// for HalfSquared, at most 1 for classes. It is 1 where targets are drawn in place of q.
func (k *Probe) OutputCurvature() float64 {
	if k.half == nil {
		return 1
	}
	return 2 * scalar(k.half.Value())
}

// Measures are what the step of block i measured in the last run, before it moved: see
// the form's ProbeLearner. nil where there is nothing.
func (k *Probe) Measures(i int) ([]form.Measure, error) {
	s := k.blocks[i].step
	if s == nil || s.ProbeStep.Measures == nil {
		return nil, nil
	}
	m, err := s.learner.Measures(s.ProbeStep.Measures.Value())
	return m, errors.WithMessagef(err, "graph: probe of %q", k.blocks[i].name)
}
