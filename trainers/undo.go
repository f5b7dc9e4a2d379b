package trainers

import (
	"fmt"
	"strings"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// undo holds all that a step may change, as it was before.
type undo struct {
	live, copies []NamedTensor
	skipped      int
}

// secure copies all that the step may change, unless nothing in it can overflow:
// a copy is about as much work as the update of a simple rule.
func (e *engine) secure(in rule.Input, scale float64, meta bool) *undo {
	growth := 0.0
	if meta {
		growth = e.learner.Growth()
	}
	if e.boundsHold() && e.Update.StaysFinite(in, scale, meta, growth) {
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
	e.Update.Invalidate()
	if e.learner != nil {
		e.learner.Invalidate()
	}
}

// undoUnlessFinite takes the step back if it left something not finite that was before, or
// a weight that the graphs would see as infinite, and names the first such array: causes come before the weights. nil is for a
// step that was certain to stay finite.
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
