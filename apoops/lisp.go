package apoops

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
)

var _ gorgonia.ADOp = (*op[float32])(nil)

// DoDiff implements gorgonia.ADOp, by which Gorgonia's LispMachine
// differentiates: it skips ops without it, and their operands keep the gradient
// 0. So it is an error for ops that have a gradient.
func (o *op[T]) DoDiff(_ gorgonia.ExecutionContext, in gorgonia.Nodes, _ *gorgonia.Node) error {
	if !slices.Contains(o.DiffWRT(len(in)), true) {
		return nil
	}
	return errors.Errorf("apoops: %s has no gradient on a LispMachine: call gorgonia.Grad and run the graph on a TapeMachine", o.k.name())
}
