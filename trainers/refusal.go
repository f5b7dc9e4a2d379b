package trainers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// refuse reports a loss, a gradient or a statistic of the batch that is not
// finite, and what is at fault. norm is that of the gradient, +Inf where its square
// overflows, or with rows a bound of it.
func (e *engine) refuse(b batchStep) (norm float64, err error) {
	norm, g, err := e.norm(b)
	if err != nil {
		return norm, err
	}
	var what string
	switch {
	case !array.IsFinite(b.loss):
		what = fmt.Sprintf("the loss is %v", b.loss)
	case !array.IsFinite(norm) && !array.AllFinite(g...):
		if e.base != nil && e.Task.Precision.CanSkip() {
			return norm, errSkip
		}
		what = fmt.Sprintf("the gradient of %s is not finite", e.culprit(g))
	case e.base != nil:
		err := e.base.CheckStatistics()
		if err == nil {
			return norm, nil
		}
		what = err.Error()
	default:
		return norm, nil
	}
	if p := e.Task.Precision; p != nil && e.base != nil && p.LossScale() != 1 {
		what += fmt.Sprintf(", the loss scale %v, after %d steps in a row that were skipped", p.LossScale(), p.Scaler().InRow)
	}
	if where := e.origin(b.batch); where != "" {
		what += "; the first non-finite values are in " + where
	}
	return norm, ErrNotFinite.Errorf("trainers: step %d: %s; the weights are as before the step", e.steps, what)
}

// norm is the norm of the gradient g, or a bound of it from rows. Where that is no
// number of the weights' dtype the gradient of the rows is computed after all.
func (e *engine) norm(b batchStep) (norm float64, g []*tensor.Dense, err error) {
	if b.bits != nil {
		var sum float64
		for _, p := range b.bits {
			sum += e.bitsNorm.SumSquares(p)
		}
		if norm = math.Sqrt(sum); array.IsFinite(norm) {
			return norm, nil, nil
		}
		g, err = e.base.Grads()
		return norm, g, err
	}
	if b.rows != nil {
		norm = array.RowsNorm(b.g, b.rows)
		limit, err := apoops.Choose(e.Task.Params[0].Value.Dtype(), array.Limit[float32](), array.Limit[float64]())
		if err != nil || norm <= limit {
			return norm, b.g, err
		}
		if b.g, err = e.base.Grads(); err != nil {
			return norm, nil, err
		}
	}
	return math.Sqrt(array.SumSquares(b.g...)), b.g, nil
}

// culprit names the first parameter whose gradient is not finite.
func (e *engine) culprit(g []*tensor.Dense) string {
	for i, d := range g {
		if !array.AllFinite(d) {
			return e.Task.Params[i].Name
		}
	}
	return "the parameters together"
}

// origin finds the first values on the way from the weights to the loss that are
// not finite: a parameter, a layer's output or the loss itself. It is "" where
// they are not found.
func (e *engine) origin(batch graph.Batch) string {
	for _, p := range e.Task.Model {
		if !graph.Finite(p.Value) {
			return "the parameter " + p.Name
		}
	}
	where, err := graph.Trace(e.Task.Source, e.Task.Model, batch, e.Task.Random)
	if err != nil {
		return "" // what went wrong in the first place matters more
	}
	return where
}
