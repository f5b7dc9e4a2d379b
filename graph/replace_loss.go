package graph

import (
	"reflect"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// replaceCTC makes a new op of the loss: Gorgonia's keeps what its gradient needs.
// Its gradient is right for sums; for inputs shorter than the array it is NaN.
func replaceCTC(n *gorgonia.Node, operands gorgonia.Nodes, _ *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	reduction, ok := f.field("reduction", reflect.Uint)
	if !ok {
		return nil, f.err
	}
	if gorgonia.Reduction(reduction.Uint()) != gorgonia.ReductionSum {
		return nil, errors.New("Gorgonia's gradient of the mean of CTCLoss is that of the sum: take gorgonia.ReductionSum")
	}
	loss, err := gorgonia.CTCLoss(operands[0], operands[1], operands[2], operands[3], gorgonia.ReductionSum)
	if err != nil {
		return nil, err
	}
	return apoops.Reshape(loss) // an array without axes there, which no other op takes for a number
}
