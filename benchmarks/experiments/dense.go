package experiments

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// denseTask trains a fully connected net. The examples are the rows of a matrix,
// Config.Widths the widths of the layers.
type denseTask struct {
	model func(widths ...int) *layers.Model
	loss  graph.Loss
	// load returns the training set and the test set, nil if there is none.
	load func(ctx context.Context, c Config) (train, test trainers.Dataset, err error)
	// targets makes random targets for a batch.
	targets func(rng *rand.Rand, c Config) *tensor.Dense
}

var _ Task = denseTask{}

// evaluatedRows is the number of rows that are evaluated at once.
const evaluatedRows = 1000

// Describe implements Task.
func (t denseTask) Describe(c Config) string {
	return "widths " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(c.Widths)), "-"), "[]")
}

// Model implements Task.
func (t denseTask) Model(c Config) (graph.Model, error) { return t.model(c.Widths...), nil }

// Loss implements Task.
func (t denseTask) Loss() graph.Loss { return t.loss }

// Load implements Task.
func (t denseTask) Load(ctx context.Context, c Config) (Problem, error) {
	train, test, err := t.load(ctx, c)
	return unaugmented(train, test), err
}

// RandomBatch implements Task.
func (t denseTask) RandomBatch(c Config) graph.Batch {
	rng := rand.New(rand.NewPCG(1, 1))
	return graph.NewBatch(uniform(rng, c.Type(), c.Batch, c.Widths[0]), t.targets(rng, c))
}

// Work implements Task.
func (t denseTask) Work(c Config) Work {
	products := 0
	for i, w := range c.Widths[1:] {
		products += (c.Widths[i] + 1) * w
	}
	return Work{MultiplyAdds: float64(products), EvaluationBatch: evaluatedRows}
}

// classTargets makes class numbers for a classifier, vectorTargets vectors for a
// regression, inputTargets vectors of the inputs' size for an autoencoder.
func classTargets(rng *rand.Rand, c Config) *tensor.Dense {
	return classNumbers(rng, c.Batch, c.Widths[len(c.Widths)-1])
}

func vectorTargets(rng *rand.Rand, c Config) *tensor.Dense {
	return uniform(rng, c.Type(), c.Batch, c.Widths[len(c.Widths)-1])
}

func inputTargets(rng *rand.Rand, c Config) *tensor.Dense {
	return uniform(rng, c.Type(), c.Batch, c.Widths[0])
}
