package trainers

import (
	"fmt"
	"math"
	"strings"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
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
	if e.left.InRow < e.c.mostSkips {
		return norm, errLeft
	}
	if e.left.InRow > 0 {
		what += fmt.Sprintf(", after %d steps in a row that were skipped", e.left.InRow)
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

// undo holds all that a step may change, as it was before.
type undo struct {
	live, copies []NamedTensor
	skipped      int
}

// secure copies all that the step may change, unless nothing in it can overflow:
// a copy is about as much work as the update of a simple rule.
func (e *engine) secure(in rule.Input, scale float64, meta bool) *undo {
	hold, growth := e.boundsHold(), 0.0
	if meta {
		growth = e.learner.Growth()
	}
	if hold && e.Update.StaysFinite(in, scale, meta, growth) {
		return nil
	}
	e.invalidate()
	u := &undo{live: e.tensors(), skipped: e.skipped}
	if e.copies == nil {
		for _, t := range u.live {
			e.copies = append(e.copies, NamedTensor{Name: t.Name, Value: t.Value.Clone().(*tensor.Dense), Format: t.Format})
		}
	} else {
		for i, t := range u.live {
			array.Copy(e.copies[i].Value, t.Value)
		}
	}
	u.copies = e.copies
	return u
}

// invalidate is for changes that steps did not make.
func (e *engine) invalidate() {
	e.relied = 0
	e.Update.Invalidate()
	if e.learner != nil {
		e.learner.Invalidate()
	}
}

// undoUnlessFinite takes the step back if it left something not finite that was finite before,
// or a weight that the graphs would see as infinite. It names the first such array, and one of
// the state or of φ, which is the cause, before a weight. nil is for a step that was certain to
// stay finite.
func (e *engine) undoUnlessFinite(u *undo) error {
	if u == nil {
		return nil
	}
	at := -1
	for i, t := range u.live {
		weight := i < len(e.Task.Model)
		if t.Value.Dtype() == tensor.Uint64 ||
			finite(t) && (!weight || e.Task.Precision.Holds(e.Task.Model[i])) ||
			!finite(u.copies[i]) {
			continue
		}
		if !weight {
			at = i
			break
		}
		if at < 0 {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	for i, t := range u.live {
		array.Copy(t.Value, u.copies[i].Value)
	}
	e.skipped = u.skipped
	return ErrNotFinite.Errorf("trainers: step %d: loss and gradient are finite, but the step makes %s not finite%s; weights, optimizer state and φ are as before the step", e.steps, describeTensor(u.live[at].Name), e.Task.Precision.Range())
}

// finite reports whether all numbers of an array are.
func finite(t NamedTensor) bool {
	if t.Packed() {
		return half.AllFinite(t.Format, t.Value.Uint16s())
	}
	return graph.Finite(t.Value)
}

// describeTensor says in words what a tensor of engine.tensors is.
func describeTensor(name string) string {
	group, rest, _ := strings.Cut(name, "/")
	what := map[string]string{"theta": "the weights", "state": "the optimizer's state", "phi": "φ", "average": "the average of the weights", "meta": "the state of what learns φ,"}[group]
	return fmt.Sprintf("%s %q", what, rest)
}
