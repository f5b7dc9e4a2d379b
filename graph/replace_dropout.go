package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// stockStreams is where the streams of masks of Gorgonia's dropout nodes begin:
// behind those that a user gives to apoops.Dropout.
const stockStreams = 1 << 62

// replaceDropout draws masks that passes can share, each node of the user's from a
// stream of its own.
func replaceDropout(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	rate, training := f.number("probability"), f.truth("isTraining")
	if f.err != nil {
		return nil, f.err
	}
	x := operands[0]
	if rate == 0 || !training || !p.Training() {
		return apoops.Reshape(x, x.Shape()...)
	}
	differs := ""
	if rate != 0.5 {
		differs = ", and divides the gradient by p instead of 1-p, which is wrong; apoops.Dropout is right"
	}
	if len(p.readers[n]) > 1 {
		differs += " (to Gorgonia several Dropouts of one node are one, and so they are to the rebuilt passes)"
	}
	p.note("%s: your own machine draws masks of its own in Dropout%s. The rebuilt passes have the masks of the solver's seed.", describeUse(n), differs)
	return apoops.Dropout(x, rate, p.Random, p.Stream(stockStreams|uint64(n.ID())))
}
