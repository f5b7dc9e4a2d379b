package trainers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// LastGradient is g = ∇J_B(θ) of the last step, one array for each parameter
// that is learned; nil before the first step. The next step overwrites the arrays.
func (t *Trainer) LastGradient() []NamedTensor {
	if t.engine.orEmpty().base == nil {
		return nil
	}
	g, err := t.engine.base.Grads()
	if err != nil {
		return nil // the gradient graph never ran
	}
	all := make([]NamedTensor, len(g))
	for i, p := range t.engine.Task.Params {
		all[i] = NamedTensor{Name: p.Name, Value: g[i]}
	}
	return all
}

// LastMetaGradient is ∂Q/∂φ of the last meta-step, at the φ before it moved,
// one array for each of Phi; nil before the first meta-step and for learners that
// do not descend it, such as Calibrated. ClipMeta's limit has been applied. The
// next meta-step overwrites the arrays.
func (t *Trainer) LastMetaGradient() []NamedTensor {
	e := t.engine.orEmpty()
	if e.learner == nil {
		return nil
	}
	g := e.learner.MetaGradient()
	if g == nil {
		return nil
	}
	all := e.Update.Phi()
	for i := range all {
		all[i].Value = g[i]
	}
	return all
}

// Notes name the parameters that the optimizer treats in a simpler form than its own,
// with the reason, a line for each reason, such as
//
//	kfac: plain gradient for conv5, conv6: more than 1024 rows or columns (max_dim)
//
// Which layers have no factors in KFAC and EKFAC is known after the first step. After
// Load there is a note where the checkpoint was written in another environment.
//
// For a Trainer made by FromProblem the first lines say where its passes compute
// something else than the user's own machine, see graph.Problem.Notes.
func (t *Trainer) Notes() []string {
	if t.fixed != nil {
		return append(t.fixed.Notes(), t.engine.orEmpty().notes()...)
	}
	return t.engine.orEmpty().notes()
}

// Notes is Trainer.Notes and, before them, what the passes rebuilt from the user's
// graph compute otherwise than the user's own machine, see graph.Problem.Notes.
func (s *Solver) Notes() []string { return append(s.problem.Notes(), s.engine.orEmpty().notes()...) }

// Predict is the model's output on inputs, in evaluation mode, with the weights of
// Trainer.Evaluated: logits for a classifier. It takes an array for each input of the model,
// of any number of rows (for a user's graph, the rows that it was made for), and returns a new
// one. Shapes have graphs of their own (Graphs), so give a large set in parts of one size.
func (t *Trainer) Predict(inputs ...*tensor.Dense) (y *tensor.Dense, err error) {
	if t.engine == nil {
		return nil, errNotMade
	}
	if t.fixed != nil {
		inputs, err = t.fixed.completeInputs(inputs)
	} else {
		err = graph.Batch{X: inputs}.CheckValues()
	}
	if err == nil {
		err = t.engine.withEvaluated(func() error {
			y, err = t.predict(graph.Batch{X: inputs})
			return err
		})
	}
	return y, errors.WithMessage(err, "trainers: predicting")
}

// prediction is a graph of the output with the arrays of its inputs.
type prediction struct {
	*graph.Forward
	inputs []*tensor.Dense
}

func (t *Trainer) predict(b graph.Batch) (*tensor.Dense, error) {
	p, ok := t.predictions.Find(b, nil)
	if !ok {
		p = &prediction{inputs: array.CloneAll(b.X)}
		var err error
		p.Forward, err = graph.NewForwardIn(t.engine.c.storage(), t.engine.Task.Model, p.inputs, func(pass *graph.Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
			y, err := t.source.BuildOutput(pass, x, theta)
			return gorgonia.Nodes{y}, err
		})
		if err != nil {
			return nil, errors.WithMessagef(err, "%v%s", b, t.engine.dtypeHint(b))
		}
		t.predictions.Limit = t.engine.c.graphs
		if err := t.predictions.Add(b, nil, p); err != nil {
			return nil, err
		}
	}
	for i, x := range b.X {
		if err := tensor.Copy(p.inputs[i], x); err != nil {
			return nil, errors.Wrapf(err, "input %d", i)
		}
	}
	if err := p.Run(); err != nil {
		return nil, err
	}
	if y := p.Result(0); y != nil {
		return y.Clone().(*tensor.Dense), nil
	}
	return nil, errors.New("the output is a number, not an array")
}
