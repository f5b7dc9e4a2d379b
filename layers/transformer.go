package layers

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// TransformerConfig describes a Transformer (Vaswani et al. 2017) or, without encoder,
// a language model. Its activations are rows: (N·T)×Width, row n·T+t the position t of
// sentence n.
type TransformerConfig struct {
	Encoder, Decoder int // numbers of blocks
	Width, Heads     int
	FeedForward      int     // hidden units of the feed-forward nets
	Vocabulary       int     // of the target, and of the source if SourceVocabulary is 0
	SourceVocabulary int     // 0 for a joint vocabulary
	Padding          int     // the id of padding
	Dropout          float64 // of embeddings and sublayers
	AttentionDropout float64 // of the weights of attention
	PreNorm          bool    // see Block; each stack then ends with a normalisation
	LearnedPositions int     // the most positions of a learned table, 0 for sinusoids
	// Shared makes one table the embedding of the source, that of the target and the
	// output matrix. TiedOutput makes the target's table the output matrix. With neither
	// that is a matrix of Width×Vocabulary, without bias.
	Shared, TiedOutput bool
}

// TransformerModel is an encoder and a decoder, a graph.Model. Its inputs are the source,
// N×S, and the target up to each position, N×T, both of tensor.Int with padding on the
// right; its output are the logits of the next token, (N·T)×Vocabulary.
type TransformerModel struct{ TransformerConfig }

// Transformer is a model for translation. The IWSLT'14 net of the paper is
//
//	Transformer(TransformerConfig{Encoder: 6, Decoder: 6, Width: 512, Heads: 4, FeedForward: 1024,
//		Vocabulary: v, Shared: true, Dropout: 0.3})
func Transformer(c TransformerConfig) *TransformerModel { return &TransformerModel{c} }

var (
	_ graph.Model     = (*TransformerModel)(nil)
	_ graph.Describer = (*TransformerModel)(nil)
)

// Names of the parts of a model.
const (
	sharedTable   = "embedding"
	sourceTable   = "source"
	targetTable   = "target"
	outputMatrix  = "output"
	encoderNorm   = "encodernorm"
	decoderNorm   = "decodernorm"
	sourceLearned = "sourcepositions"
	targetLearned = "positions"
)

func encoderName(i int) string { return fmt.Sprintf("encoder%d", i) }
func decoderName(i int) string { return fmt.Sprintf("decoder%d", i) }

func (c TransformerConfig) block() Block {
	return Block{c.Width, c.Heads, c.FeedForward, c.Dropout, c.AttentionDropout, c.PreNorm}
}

func (c TransformerConfig) tied() bool { return c.Shared || c.TiedOutput }

func (c TransformerConfig) sourceVocabulary() int {
	if c.SourceVocabulary > 0 {
		return c.SourceVocabulary
	}
	return c.Vocabulary
}

// tables are the names of the parts that embed the source and the target.
func (c TransformerConfig) tables() (source, target string) {
	if c.Shared {
		return sharedTable, sharedTable
	}
	return sourceTable, targetTable
}

func (c TransformerConfig) embedding(vocabulary int) Embedding {
	return Embedding{vocabulary, c.Width, c.Padding}
}

// stack are the parts of blocks, and the normalisation behind them with PreNorm.
func (c TransformerConfig) stack(blocks int, name func(int) string, block interface{ Params() ([]Spec, error) }, norm string) (all parts) {
	for i := range blocks {
		all = append(all, part{name(i), block})
	}
	if c.PreNorm {
		all = append(all, part{norm, LayerNorm(c.Width)})
	}
	return all
}

// output is the part of the output matrix, none where a table is.
func (c TransformerConfig) output() parts {
	if c.tied() {
		return nil
	}
	d := &DenseLayer{Inputs: c.Width, Outputs: c.Vocabulary, NoBias: true, Init: Normal(1 / math.Sqrt(float64(c.Width)))}
	return parts{{outputMatrix, d}}
}

func (c TransformerConfig) learned(name string) parts {
	if c.LearnedPositions == 0 {
		return nil
	}
	return parts{{name, positions{c.LearnedPositions, c.Width}}}
}

// parts are those of the model: tables first, then encoder, decoder and output.
func (m *TransformerModel) parts() (all parts, err error) {
	switch {
	case m.Encoder < 1 || m.Decoder < 1:
		return nil, errors.Errorf("%d blocks of the encoder, %d of the decoder: both must be positive", m.Encoder, m.Decoder)
	case m.SourceVocabulary < 0 || m.Shared && m.sourceVocabulary() != m.Vocabulary:
		return nil, errors.Errorf("a source vocabulary of %d tokens, a target vocabulary of %d: they share no table", m.SourceVocabulary, m.Vocabulary)
	}
	source, target := m.tables()
	all = parts{{source, m.embedding(m.sourceVocabulary())}}
	if target != source {
		all = append(all, part{target, m.embedding(m.Vocabulary)})
	}
	all = append(all, m.learned(sourceLearned)...)
	all = append(all, m.learned(targetLearned)...)
	all = append(all, m.stack(m.Encoder, encoderName, EncoderBlock{m.block()}, encoderNorm)...)
	all = append(all, m.stack(m.Decoder, decoderName, DecoderBlock{m.block()}, decoderNorm)...)
	return append(all, m.output()...), nil
}

func (m *TransformerModel) cut(theta gorgonia.Nodes) (map[string]gorgonia.Nodes, error) {
	all, err := m.parts()
	if err != nil {
		return nil, errors.WithMessage(err, "layers: transformer")
	}
	of, err := all.cut(theta)
	return of, errors.WithMessage(err, "layers: transformer")
}

// Init implements graph.Model. Each table and block has random numbers of its own.
func (m *TransformerModel) Init(seed uint64, dt tensor.Dtype) ([]*graph.Param, error) {
	all, err := m.parts()
	if err != nil {
		return nil, errors.WithMessage(err, "layers: transformer")
	}
	return all.init(seed, dt)
}

// Describe implements graph.Describer.
func (m *TransformerModel) Describe() []string {
	return []string{fmt.Sprintf("transformer %+v", m.TransformerConfig)}
}

// Output implements graph.Model.
func (m *TransformerModel) Output(p *graph.Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	return m.observed(p, x, theta, nil)
}

// observed builds the output and hands observe, if it is set, the weights of attention to
// the source.
func (m *TransformerModel) observed(p *graph.Pass, x, theta gorgonia.Nodes, observe func(*gorgonia.Node)) (*gorgonia.Node, error) {
	if len(x) != 2 {
		return nil, errors.Errorf("layers: a transformer takes two inputs, source and target, not %d", len(x))
	}
	memory, mask, err := m.Encode(p, x[0], theta)
	if err != nil {
		return nil, err
	}
	mask.observe = observe
	kv, err := m.Memory(memory, theta)
	if err != nil {
		return nil, err
	}
	y, err := m.decode(p, x[1], kv, mask, theta)
	return y, errors.WithMessage(err, "layers: transformer")
}

// Encode builds the output of the encoder of a source, N×S tokens: the memory, (N·S)×Width,
// and the mask of attention to it.
func (m *TransformerModel) Encode(p *graph.Pass, source *gorgonia.Node, theta gorgonia.Nodes) (memory *gorgonia.Node, mask AttentionMask, err error) {
	of, err := m.cut(theta)
	if err != nil {
		return nil, mask, err
	}
	memory, mask, err = m.encode(p, source, of)
	return memory, mask, errors.WithMessage(err, "layers: transformer")
}

func (m *TransformerModel) encode(p *graph.Pass, source *gorgonia.Node, of map[string]gorgonia.Nodes) (*gorgonia.Node, AttentionMask, error) {
	var mask AttentionMask
	table, _ := m.tables()
	x, err := m.embed(p, table, sourceLearned, source, of)
	if err != nil {
		return nil, mask, inLayer(table, err)
	}
	mask.Examples = source.Shape()[0]
	if mask.Lengths, err = apoops.Lengths(source, m.Padding); err != nil {
		return nil, mask, err
	}
	for i := range m.Encoder {
		if x, err = inNamed(p, encoderName(i), func() (*gorgonia.Node, error) {
			return EncoderBlock{m.block()}.Apply(p, x, mask, of[encoderName(i)])
		}); err != nil {
			return nil, mask, err
		}
	}
	x, err = m.finish(p, encoderNorm, x, of)
	return x, mask, err
}

// Memory builds the keys and values of each decoder block's attention to the memory.
func (m *TransformerModel) Memory(memory *gorgonia.Node, theta gorgonia.Nodes) ([]KeyValue, error) {
	of, err := m.cut(theta)
	if err != nil {
		return nil, err
	}
	all := make([]KeyValue, m.Decoder)
	for i := range all {
		if all[i], err = (DecoderBlock{m.block()}).Memory(memory, of[decoderName(i)]); err != nil {
			return nil, errors.WithMessage(inLayer(decoderName(i), err), "layers: transformer")
		}
	}
	return all, nil
}

// CrossWeights builds, for each block of the decoder, the weights of its attention to the
// source: (N·Heads·T)×S, row (n·Heads+h)·T+t those of position t of the target of sentence
// n in head h. x are the inputs of Output.
func (m *TransformerModel) CrossWeights(p *graph.Pass, x, theta gorgonia.Nodes) (weights []*gorgonia.Node, err error) {
	_, err = m.observed(p, x, theta, func(w *gorgonia.Node) { weights = append(weights, w) })
	return weights, err
}

// decode builds the logits of whole targets.
func (m *TransformerModel) decode(p *graph.Pass, target *gorgonia.Node, kv []KeyValue, memory AttentionMask, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	of, err := m.cut(theta)
	if err != nil {
		return nil, err
	}
	_, table := m.tables()
	x, err := m.embed(p, table, targetLearned, target, of)
	if err != nil {
		return nil, inLayer(table, err)
	}
	if n := target.Shape()[0]; n != memory.Examples {
		return nil, graph.ErrShape.Errorf("%d sentences of the source, %d of the target", memory.Examples, n)
	}
	for i := range m.Decoder {
		if x, err = inNamed(p, decoderName(i), func() (*gorgonia.Node, error) {
			return DecoderBlock{m.block()}.Apply(p, x, kv[i], memory, of[decoderName(i)])
		}); err != nil {
			return nil, err
		}
	}
	return m.logits(p, x, of)
}
