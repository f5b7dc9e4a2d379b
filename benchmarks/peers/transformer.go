package peers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// transformerNet is the name of the Transformer of the paper's translation experiment.
const transformerNet = "transformer"

// Settings of the Transformer's steps. Dropout is off on both sides, so that their
// losses can be compared.
const (
	vocabulary = 10000
	smoothing  = 0.1
	// textBatches batches are used in turn. They have different shapes.
	textBatches = 2
)

// transformers are the net of IWSLT'14 and a small one for tests, without dropout.
var transformers = map[string]layers.TransformerConfig{
	transformerNet: {
		Encoder: 6, Decoder: 6, Width: 512, Heads: 4, FeedForward: 1024, Vocabulary: vocabulary, Shared: true,
	},
	"transformer-tiny": {
		Encoder: 2, Decoder: 2, Width: 16, Heads: 4, FeedForward: 24, Vocabulary: vocabulary, Shared: true,
	},
}

// transformerTask is a Transformer with AdamW on batches of at most the given number of
// tokens.
func transformerTask(net string, tokens int) (task, error) {
	batches, err := sentenceBatches(tokens)
	o := trainers.AdamW(5e-4)
	o.Beta2, o.WeightDecay = 0.98, 1e-4
	return task{
		model:     layers.Transformer(transformers[net]),
		loss:      graph.TokenCrossEntropy(graph.TokenSettings{Smoothing: smoothing}),
		optimizer: o,
		batches:   batches, compared: math.MaxInt,
	}, err
}

// sentenceBatches have random tokens in sentences of IWSLT's lengths: in its validation
// set, with the 10,000 byte-pair codes, the logarithm of a source's length has mean 2.96
// and standard deviation 0.67, that of the ratio of the target's length to the source's
// -0.015 and 0.16. Source and target have at most the given number of tokens each, with
// padding.
func sentenceBatches(tokens int) ([]graph.Batch, error) {
	const sentences, longest = 8000, 170
	rng := rand.New(rand.NewPCG(1, 1))
	most := min(longest, tokens/2)
	draw := func(length float64) []int {
		s := make([]int, min(max(int(math.Round(length)), 1), most))
		for i := range s {
			s[i] = 4 + rng.IntN(vocabulary-4)
		}
		return s
	}
	source, target := make([][]int, sentences), make([][]int, sentences)
	for i := range source {
		length := math.Exp(2.96 + 0.67*rng.NormFloat64())
		source[i], target[i] = draw(length), draw(length*math.Exp(0.16*rng.NormFloat64()-0.015))
	}
	s, err := batch.NewSentences(source, target, batch.TokenConfig{Tokens: tokens})
	if err != nil {
		return nil, err
	}
	all, err := batch.NewTokenBatches(s, 1)
	if err != nil {
		return nil, err
	}
	batches := make([]graph.Batch, textBatches)
	for i := range batches {
		batches[i] = all.At(i)
	}
	return batches, nil
}

// writeTask writes a Transformer's first weights and batches to a file in dir, for
// PyTorch.
func writeTask(dir, net string, tokens int) (path string, err error) {
	t, err := transformerTask(net, tokens)
	if err != nil {
		return "", err
	}
	tr, err := trainers.New(t.model, t.loss, t.optimizer, trainers.EveryK(0))
	if err != nil {
		return "", err
	}
	var all []trainers.NamedTensor
	for i, b := range t.batches {
		for name, v := range map[string]trainers.NamedTensor{"source": {Value: b.X[0]}, "target": {Value: b.X[1]}, "next": {Value: b.T[0]}} {
			v.Name = fmt.Sprintf("batch%d/%s", i, name)
			all = append(all, v)
		}
	}
	for _, p := range tr.Params() {
		all = append(all, trainers.NamedTensor{Name: p.Name, Value: p.Value})
	}
	path = filepath.Join(dir, "task.safetensors")
	return path, checkpoint.WriteSafetensors(path, all)
}

// transformerSides are the ways in which PyTorch may compute a Transformer. done
// removes the file of weights.
func transformerSides(python, net string, threads []int, s settings) (sides []*side, done func(), err error) {
	path, done, err := taskFile(func(dir string) (string, error) { return writeTask(dir, net, s.tokens) })
	if err != nil {
		return nil, nil, err
	}
	for _, n := range threads {
		for _, blocks := range []string{"own", "modules"} {
			name := fmt.Sprintf("%s-%s", torchName(n), blocks)
			sides = append(sides, &side{name: name, run: torchTransformer(python, path, blocks, transformers[net].Heads, n, s)})
		}
	}
	return sides, done, nil
}
