package trainers

import (
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// Solver is a gorgonia.Solver with APO for a graph that the user already has:
// it takes the place of Gorgonia's own in the training loop. The user's virtual
// machine computes the gradients; the lookahead's passes are rebuilt from the
// user's graph and run in a machine of the solver's own. A Solver must not be
// used by two goroutines at once.
type Solver struct {
	engine  *engine
	problem graph.Problem
	rebuilt bool           // passes of the problem's graph are rebuilt
	leaves  gorgonia.Nodes // whose values are the inputs of a batch
	loss    gorgonia.Value
	last    Stats
}

var _ gorgonia.Solver = (*Solver)(nil)

// Wrap makes the solver. The parameters must be bound to their initial values.
// Call it before the virtual machine is made, so that the machine records the
// cost; afterwards the loss is read from the cost's node. The weights are the
// graph's: Dtype, where it is given, must be theirs. Seed is for drawn
// targets (KFAC, EKFAC) and for the masks that stand for those of Gorgonia's Dropout.
// graph.Problem lists the ops of Gorgonia that the graph may have.
//
// With EveryK(0) there is no lookahead: any graph will do that Gorgonia trains,
// and the problem needs its cost and parameters alone, unless the optimizer has
// passes of its own (KFAC, EKFAC).
//
// The function-space term's batch B' is the mini-batch of the step before a
// meta-step (see TildeFrom). All batches have the graph's shapes: a graph may have the
// size of the mini-batch anywhere, so it cannot be rebuilt for another one, and an
// FSDFraction below 1 is an error.
func Wrap(p graph.Problem, o Optimizer, opts ...Option) (*Solver, error) {
	c, err := newConfig(o, opts)
	if err != nil {
		return nil, err
	}
	if c.Calibration != nil {
		return nil, errors.New("trainers: Wrap: CalibrateFrom needs a Trainer: the solver computes no gradients")
	}
	if err := c.alone(); err != nil {
		return nil, errors.WithMessage(err, "trainers: Wrap")
	}
	if err := c.wholeTilde(); err != nil {
		return nil, errors.WithMessage(err, "trainers: Wrap")
	}
	if c.divergence.Build != nil {
		p.Divergence = c.divergence
	}
	if err := p.CheckTraining(); err != nil {
		return nil, err
	}
	params, err := p.LearnableParams()
	if err != nil {
		return nil, err
	}
	if err := c.checkDtype(params); err != nil {
		return nil, err
	}
	blocks, err := p.Blocks(params)
	if err != nil {
		return nil, err
	}
	p.Storage = c.storage()
	s := &Solver{problem: p, leaves: p.Inputs}
	if s.engine, err = newEngine(&s.problem, params, blocks, o, c); err != nil {
		return nil, err
	}
	if err := c.checkDivergence(p); err != nil {
		return nil, errors.WithMessage(err, "trainers: Wrap")
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	gorgonia.Read(p.Cost, &s.loss)
	return s, nil
}

// prepare builds the solver's own graphs, so that what cannot be rebuilt is known
// before the training.
func (s *Solver) prepare() error {
	rule, learner := s.engine.Update.Graphs(), s.engine.learner
	if s.rebuilt = rule != nil || learner != nil; !s.rebuilt {
		return nil
	}
	if err := s.problem.Check(); err != nil {
		return err
	}
	s.leaves, s.engine.data = s.problem.Leaves()
	example := s.problem.Example()
	s.engine.like = example.X
	if rule != nil {
		if err := rule.Prepare(example); err != nil {
			return errors.WithMessage(err, "trainers: Wrap")
		}
	}
	if learner != nil {
		return errors.WithMessage(learner.Prepare(example, example.X), "trainers: Wrap")
	}
	return nil
}

// Step implements gorgonia.Solver: it takes one training step with the
// gradients that the user's machine has just computed, and zeroes them, as
// Gorgonia's solvers do, after an error too: the machine would add the next ones to them.
// The model must be the problem's parameters in their
// order, as gorgonia.NodesToValueGrads gives them.
func (s *Solver) Step(model []gorgonia.ValueGrad) error {
	start := time.Now()
	if s.engine == nil {
		return errNotMade
	}
	defer zeroGradients(model)
	g, err := s.gradients(model)
	if err != nil {
		return errors.WithMessagef(err, "trainers: step %d", s.engine.steps)
	}
	batch, err := s.batch()
	if err != nil && !s.rebuilt {
		batch = graph.Batch{} // only a trace of what is not finite would use it
	} else if err != nil {
		return errors.WithMessagef(err, "trainers: step %d", s.engine.steps)
	}
	loss, err := s.lossValue()
	if err != nil {
		return errors.WithMessagef(err, "trainers: step %d", s.engine.steps)
	}
	s.engine.Task.Random.SetStep(int64(s.engine.steps))
	s.last, err = s.engine.step(batchStep{batch: batch, loss: loss, g: g, start: start})
	return err
}

func zeroGradients(model []gorgonia.ValueGrad) {
	for _, m := range model {
		if graph.IsNil(m) {
			continue
		}
		if g, err := m.Grad(); err == nil {
			if d, ok := graph.Array(g); ok {
				d.Zero()
			}
		}
	}
}

// Last are the statistics of the last step.
func (s *Solver) Last() Stats { return s.last }

// Steps is the number of steps taken.
func (s *Solver) Steps() int { return s.engine.orEmpty().steps }

// Skipped is Trainer.Skipped.
func (s *Solver) Skipped() int { return s.engine.orEmpty().skipped }

// Fallbacks is Trainer.Fallbacks.
func (s *Solver) Fallbacks() int { return s.engine.orEmpty().fallbacks() }

// Phi are the learned parameters of the update rule: log η of each group and the
// logarithms of other hyperparameters that are learned, or the factors of each block.
func (s *Solver) Phi() []NamedTensor { return s.engine.orEmpty().phi() }

// Rates are the learning rates of each group that the next step starts from;
// none for APO-Precond.
func (s *Solver) Rates() []float64 { return s.engine.orEmpty().rates() }

func (s *Solver) gradients(model []gorgonia.ValueGrad) ([]*tensor.Dense, error) {
	params := s.engine.Task.Model
	if len(model) != len(params) {
		return nil, errors.Errorf("%d values and gradients for %d parameters", len(model), len(params))
	}
	var g []*tensor.Dense // of those that learn
	for i, m := range model {
		if graph.IsNil(m) {
			return nil, errors.Errorf("value %d is nil", i)
		}
		if value, ok := graph.Array(m.Value()); !ok || !sameMemory(value, params[i].Value) {
			return nil, errors.Errorf("value %d is not that of parameter %q, or the parameter was bound to another value", i, params[i].Name)
		}
		if params[i].Frozen {
			continue
		}
		v, err := m.Grad()
		if err != nil {
			return nil, errors.Wrapf(err, "gradient of %q", params[i].Name)
		}
		d, ok := graph.Array(v)
		if !ok || d.Dtype() != params[i].Value.Dtype() || d.DataSize() != params[i].Value.DataSize() {
			return nil, ErrShape.Errorf("gradient of %q is %T, not %v of shape %v: run the machine before the step", params[i].Name, v, params[i].Value.Dtype(), params[i].Value.Shape())
		}
		g = append(g, d)
	}
	return g, nil
}

// sameMemory reports whether two arrays are over the same memory.
func sameMemory(a, b *tensor.Dense) bool {
	return a.Dtype() == b.Dtype() && a.DataSize() == b.DataSize() && a.Uintptr() == b.Uintptr()
}

// batch collects what the user bound to the graph's leaves.
func (s *Solver) batch() (b graph.Batch, err error) {
	if b.X, err = arrays("input", s.leaves); err != nil {
		return b, err
	}
	if b.T, err = arrays("target", s.problem.Targets); err != nil {
		return b, err
	}
	data := len(s.problem.Inputs)
	if err := checkInputs(b.X, s.leaves[:data], s.leaves[data:]); err != nil {
		return b, err
	}
	return b, graph.CheckLeaves("target", s.problem.Targets, b.T)
}

func arrays(kind string, nodes gorgonia.Nodes) (all []*tensor.Dense, err error) {
	for _, n := range nodes {
		a, ok := graph.Array(n.Value())
		if !ok {
			return nil, errors.Errorf("%s %q is bound to %T, neither a number nor a tensor", kind, n.Name(), n.Value())
		}
		// Gorgonia compares neither dtypes nor shapes when it binds.
		want := n.Shape()
		if want.IsScalar() {
			want = tensor.Shape{1}
		}
		switch {
		case a.Dtype() != n.Dtype():
			return nil, ErrDtype.Errorf("%s %q of dtype %v is bound to %v", kind, n.Name(), n.Dtype(), a.Dtype())
		case !apoops.SameShape(a.Shape(), want):
			return nil, ErrShape.Errorf("%s %q of shape %v is bound to shape %v", kind, n.Name(), want, a.Shape())
		}
		all = append(all, a)
	}
	return all, nil
}

func (s *Solver) lossValue() (float64, error) {
	v := s.loss
	if v == nil {
		v = s.problem.Cost.Value()
	}
	if v == nil {
		return 0, errors.New("the cost has no value: run the machine before the step")
	}
	return graph.ScalarValue(v)
}
