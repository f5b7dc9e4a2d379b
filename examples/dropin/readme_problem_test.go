package dropin

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// TestReadmeProblem runs the program of the top README that has no machine.
func TestReadmeProblem(t *testing.T) {
	u := newUserNet(t)
	before := u.learnables[0].Value().(*tensor.Dense).Clone().(*tensor.Dense)
	check(t, readmeProblem(u.cost, u.logits, u.x, u.y, u.learnables, 3, func(step int) graph.Batch {
		u.feed(t, step)
		return graph.NewBatch(u.x.Value().(*tensor.Dense), u.y.Value().(*tensor.Dense))
	}))
	if before.Eq(u.learnables[0].Value()) {
		t.Error("the weights have not moved")
	}
}

func readmeProblem(cost, logits, x, y *gorgonia.Node, learnables gorgonia.Nodes, steps int, batch func(step int) graph.Batch) error {
	tr, err := trainers.FromProblem(
		graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: learnables},
		trainers.RMSprop(1e-3), trainers.FSD(0.1, graph.CategoricalKL))
	if err != nil {
		return err
	}
	for step := range steps {
		if _, err := tr.Step(batch(step)); err != nil { // of the size that the graph was made for
			return err
		}
	}
	return nil
}
