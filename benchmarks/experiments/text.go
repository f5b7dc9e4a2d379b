package experiments

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/text"
)

// The settings of a textTask in Config.Own.
const (
	ownBlocks     = "blocks" // of the encoder, and as many of the decoder
	ownWidth      = "width"
	ownHeads      = "heads"
	ownHidden     = "hidden" // units of the feed-forward nets
	ownDropout    = "dropout"
	ownMerges     = "merges"     // of the byte-pair encoding, where the text has no codes
	ownVocabulary = "vocabulary" // rows of the table of embeddings
	ownLength     = "length"     // of the longest sentence, to which all are padded; 0 for any and several lengths
)

// textTask trains a Transformer to translate the text Config.Set. Config.Batch counts
// tokens. The test set of a run's evaluations is the text's validation part; the score is
// the BLEU of the translations of its test.
type textTask struct{}

var _ Task = textTask{}

// smoothing is ε of the training loss, the paper's.
const smoothing = 0.1

// Describe implements Task.
func (textTask) Describe(c Config) string {
	return fmt.Sprintf("Transformer of %[1]g+%[1]g blocks, d %[2]g, hidden %[3]g, %[4]g heads, dropout %[5]g, on %[6]s",
		c.Own[ownBlocks], c.Own[ownWidth], c.Own[ownHidden], c.Own[ownHeads], c.Own[ownDropout], c.Set)
}

func transformer(c Config) *layers.TransformerModel {
	own := func(name string) int { return int(c.Own[name]) }
	return layers.Transformer(layers.TransformerConfig{
		Encoder: own(ownBlocks), Decoder: own(ownBlocks), Width: own(ownWidth), Heads: own(ownHeads), FeedForward: own(ownHidden),
		Vocabulary: own(ownVocabulary), Padding: text.Padding, Shared: true, Dropout: c.Own[ownDropout],
	})
}

// Model implements Task. Encoder, decoder and output share one table.
func (textTask) Model(c Config) (graph.Model, error) { return transformer(c), nil }

// Loss implements Task.
func (textTask) Loss() graph.Loss {
	return graph.TokenCrossEntropy(graph.TokenSettings{Padding: text.Padding, Smoothing: smoothing})
}

// likelihood is the loss of the evaluations on the test set: its exponential is the
// perplexity.
var likelihood = graph.TokenCrossEntropy(graph.TokenSettings{Padding: text.Padding})

// Load implements Task.
func (textTask) Load(ctx context.Context, c Config) (Problem, error) {
	set, err := textSetOf(c.Set)
	if err != nil {
		return Problem{}, err
	}
	t, err := set.load(ctx)
	if err != nil {
		return Problem{}, err
	}
	e, err := encode(t, c)
	if err != nil {
		return Problem{}, err
	}
	train, err := e.pairs(e.train, c)
	if err != nil {
		return Problem{}, err
	}
	valid, err := e.pairs(e.valid, c)
	if err != nil {
		return Problem{}, err
	}
	p := unaugmented(train, valid)
	p.TestLoss, p.Score = &likelihood, e.score(c)
	return p, nil
}

// randomLength is the length of RandomBatch's sentences, about that of spoken ones.
const randomLength = 32

// RandomBatch implements Task.
func (textTask) RandomBatch(c Config) graph.Batch {
	rng := rand.New(rand.NewPCG(1, 1))
	length := min(randomLength, c.Batch)
	tokens := func() *tensor.Dense {
		t := tensor.New(tensor.Of(tensor.Int), tensor.WithShape(c.Batch/length, length))
		for i := range t.Ints() {
			t.Ints()[i] = text.Special + rng.IntN(max(1, int(c.Own[ownVocabulary])-text.Special))
		}
		return t
	}
	return graph.Batch{X: []*tensor.Dense{tokens(), tokens()}, T: []*tensor.Dense{tokens()}}
}

// Work implements Task. An example is a place of source and target.
func (textTask) Work(c Config) Work {
	d, hidden := c.Own[ownWidth], c.Own[ownHidden]
	blocks := c.Own[ownBlocks] * (12*d*d + 4*d*hidden) // four projections of the encoder, eight of the decoder
	return Work{MultiplyAdds: blocks + d*c.Own[ownVocabulary], EvaluationBatch: evaluatedSentences, Unit: "tokens"}
}

// evaluatedSentences is the number of sentences that are evaluated at once, where their
// tokens do not limit it.
const evaluatedSentences = 1000
