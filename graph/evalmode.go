package graph

import (
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// isDropout reports whether n is dropout, of Gorgonia or of package apoops, which
// passes its operand on in evaluation.
func isDropout(n *gorgonia.Node) bool {
	return typeName(n.Op()) == "dropoutOp" || apoops.RandomOf(n.Op()) != nil
}

// checkEvaluated refuses ops that have no form for evaluation.
func checkEvaluated(n *gorgonia.Node) error {
	if strings.HasPrefix(describeOp(n), "apoops.batchMoments(") {
		return errors.New("graph: apoops.BatchNorm keeps no running statistics to be evaluated with: use gorgonia.BatchNorm in the graph, or a model of package layers")
	}
	return nil
}
