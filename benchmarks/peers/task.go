package peers

import (
	"github.com/apo-gorgonia/apo/graph"
)

// Task is what a net is trained on: random batches that are used in turn.
type Task struct {
	Model   graph.Model
	Loss    graph.Loss
	Batches []graph.Batch
}

// NewTask is the task of a net for images, or of the Transformer. size is the number of
// images in a batch, or of tokens of source and target each.
func NewTask(net string, size int) (Task, error) {
	t, err := taskOf(net, settings{batch: size, tokens: size})
	return Task{t.model, t.loss, t.batches}, err
}
