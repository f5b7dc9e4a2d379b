package graph

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Evaluation is a graph of the model's output and loss without gradients, in
// evaluation mode.
type Evaluation struct {
	*program
	x, t   gorgonia.Nodes
	output gorgonia.Value
	loss   gorgonia.Value
}

// Evaluable builds what is evaluated, in a pass of EvalRole.
type Evaluable interface {
	// BuildEvaluation is f(x, θ) and the loss on the batch (x, t).
	BuildEvaluation(p *Pass, x, t, theta gorgonia.Nodes) (output, loss *gorgonia.Node, err error)
}

// NewEvaluation builds the graph for batches of the example's shapes.
func NewEvaluation(of Evaluable, params []*Param, example Batch) (*Evaluation, error) {
	return construct(func() (*Evaluation, error) { return buildEvaluation(of, params, example) })
}

func buildEvaluation(of Evaluable, params []*Param, example Batch) (*Evaluation, error) {
	if err := CheckParams(params); err != nil {
		return nil, err
	}
	p, err := newProgramOf(of, params)
	if err != nil {
		return nil, err
	}
	p.group = nil // each member evaluates batches of its own
	e := &Evaluation{program: p}
	e.x, e.t = e.inputsLike(example.X, "x"), e.inputsLike(example.T, "t")
	x, theta, err := e.inputsAndWeights(e.x, params)
	if err != nil {
		return nil, err
	}
	y, j, err := of.BuildEvaluation(&Pass{Role: EvalRole}, x, e.t, theta)
	if err != nil {
		return nil, err
	}
	gorgonia.Read(y, &e.output)
	gorgonia.Read(j, &e.loss)
	return e, e.compile()
}

// Feed binds a batch.
func (e *Evaluation) Feed(batch Batch) error {
	if err := letAll("input", e.x, batch.X); err != nil {
		return err
	}
	return letAll("target", e.t, batch.T)
}

// Output is f(x, θ) of the last run, valid until the next.
func (e *Evaluation) Output() (*tensor.Dense, bool) {
	y, ok := e.output.(*tensor.Dense)
	return y, ok
}

// CheckFinite reports a loss that is not finite and an output of NaN in the last
// run. Infinite outputs pass: they mask.
func (e *Evaluation) CheckFinite() error {
	if loss := e.LossValue(); math.IsNaN(loss) || math.IsInf(loss, 0) {
		return ErrNotFinite.Errorf("graph: the loss is %v", loss)
	}
	if y, ok := e.Output(); ok {
		if at := FirstNaN(y); at >= 0 {
			return ErrNotFinite.Errorf("graph: element %d of the output is NaN", at)
		}
	}
	return nil
}

// LossValue is the loss of the last run.
func (e *Evaluation) LossValue() float64 { return scalar(e.loss) }
