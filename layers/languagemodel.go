package layers

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// DecoderModel is a decoder without memory, a graph.Model: a language model. Its input
// are tokens, N×T of tensor.Int with padding on the right; its output are the logits of
// the next token after each, (N·T)×Vocabulary.
type DecoderModel struct{ TransformerConfig }

// LanguageModel is a decoder-only model of Decoder blocks. Encoder and SourceVocabulary
// must be 0; Shared is TiedOutput.
func LanguageModel(c TransformerConfig) *DecoderModel { return &DecoderModel{c} }

var (
	_ graph.Model     = (*DecoderModel)(nil)
	_ graph.Describer = (*DecoderModel)(nil)
)

func (m *DecoderModel) parts() (all parts, err error) {
	if m.Encoder != 0 || m.SourceVocabulary != 0 || m.Decoder < 1 {
		return nil, errors.Errorf("%d blocks of the encoder, a source vocabulary of %d, %d blocks of the decoder: only the last must be positive", m.Encoder, m.SourceVocabulary, m.Decoder)
	}
	_, table := m.tables()
	all = append(parts{{table, m.embedding(m.Vocabulary)}}, m.learned(targetLearned)...)
	all = append(all, m.stack(m.Decoder, decoderName, EncoderBlock{m.block()}, decoderNorm)...)
	return append(all, m.output()...), nil
}

func (m *DecoderModel) cut(theta gorgonia.Nodes) (map[string]gorgonia.Nodes, error) {
	all, err := m.parts()
	if err != nil {
		return nil, err
	}
	return all.cut(theta)
}

// Init implements graph.Model. The table and each block have random numbers of their own.
func (m *DecoderModel) Init(seed uint64, dt tensor.Dtype) ([]*graph.Param, error) {
	all, err := m.parts()
	if err != nil {
		return nil, errors.WithMessage(err, "layers: language model")
	}
	return all.init(seed, dt)
}

// Describe implements graph.Describer.
func (m *DecoderModel) Describe() []string {
	return []string{fmt.Sprintf("language model %+v", m.TransformerConfig)}
}

// Output implements graph.Model.
func (m *DecoderModel) Output(p *graph.Pass, x, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	if len(x) != 1 {
		return nil, errors.Errorf("layers: a language model takes one input, not %d", len(x))
	}
	y, err := m.decode(p, x[0], theta)
	return y, errors.WithMessage(err, "layers: language model")
}

func (m *DecoderModel) decode(p *graph.Pass, tokens *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
	of, err := m.cut(theta)
	if err != nil {
		return nil, err
	}
	_, table := m.tables()
	x, err := m.embed(p, table, targetLearned, tokens, of)
	if err != nil {
		return nil, err
	}
	mask := AttentionMask{Examples: tokens.Shape()[0], Causal: true}
	for i := range m.Decoder {
		if x, err = inNamed(p, decoderName(i), func() (*gorgonia.Node, error) {
			return EncoderBlock{m.block()}.Apply(p, x, mask, of[decoderName(i)])
		}); err != nil {
			return nil, err
		}
	}
	return m.logits(p, x, of)
}
