package trainers

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// refuse reports a loss, a gradient or a statistic of the batch that is not
// finite, and what is at fault. norm is that of the gradient, +Inf where its square
// overflows.
func (e *engine) refuse(batch graph.Batch, loss float64, g []*tensor.Dense) (norm float64, err error) {
	norm = math.Sqrt(array.SumSquares(g...))
	var what string
	switch {
	case !array.IsFinite(loss):
		what = fmt.Sprintf("the loss is %v", loss)
	case !array.IsFinite(norm) && !array.AllFinite(g...):
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
	if where := e.origin(batch); where != "" {
		what += "; the first non-finite values are in " + where
	}
	return norm, ErrNotFinite.Errorf("trainers: step %d: %s; the weights are as before the step", e.steps, what)
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
