package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// DecoderStep are the inputs of a decoder for one position of Q hypotheses. A pass of a
// whole target computes the keys and values of all positions again; a step takes those
// of the earlier positions as given and returns those that it adds.
type DecoderStep struct {
	// Tokens are the Q tokens of the position, a vector of tensor.Int. Hypotheses of a
	// sentence stand together: with N sentences, Q/N of each.
	Tokens *gorgonia.Node
	// Position is the number of earlier positions of each hypothesis, a vector of Q
	// tensor.Int: the position's own number, counted from 0.
	Position *gorgonia.Node
	// Earlier are the keys and values of self-attention, (Q·M)×Width each, of every
	// block: row q·M+t is position t of hypothesis q. Rows from Position on are not read.
	Earlier []KeyValue
	// Memory are the keys and values of attention to the memory of N sentences, of every
	// block, and MemoryMask its mask: see TransformerModel.Memory and Encode. A language
	// model has none.
	Memory     []KeyValue
	MemoryMask AttentionMask
}

// Step builds the logits of the next token, Q×Vocabulary, and the keys and values of the
// position in every block, Q×Width each, to be kept as row Position of Earlier.
func (m *TransformerModel) Step(p *graph.Pass, s DecoderStep, theta gorgonia.Nodes) (logits *gorgonia.Node, added []KeyValue, err error) {
	of, err := m.cut(theta)
	if err != nil {
		return nil, nil, err
	}
	if len(s.Memory) != m.Decoder {
		return nil, nil, errors.Errorf("layers: transformer: memory for %d of %d blocks of the decoder", len(s.Memory), m.Decoder)
	}
	logits, added, err = m.step(p, s, of, func(i int, x *gorgonia.Node, self attend) (*gorgonia.Node, error) {
		return DecoderBlock{m.block()}.apply(p, x, self, s.Memory[i], s.MemoryMask, of[decoderName(i)])
	})
	return logits, added, errors.WithMessage(err, "layers: transformer: step")
}

// Step is TransformerModel.Step without memory.
func (m *DecoderModel) Step(p *graph.Pass, s DecoderStep, theta gorgonia.Nodes) (logits *gorgonia.Node, added []KeyValue, err error) {
	of, err := m.cut(theta)
	if err != nil {
		return nil, nil, errors.WithMessage(err, "layers: language model")
	}
	logits, added, err = m.step(p, s, of, func(i int, x *gorgonia.Node, self attend) (*gorgonia.Node, error) {
		return EncoderBlock{m.block()}.apply(p, x, self, of[decoderName(i)])
	})
	return logits, added, errors.WithMessage(err, "layers: language model: step")
}

// step builds a step of which block applies each block.
func (c TransformerConfig) step(p *graph.Pass, s DecoderStep, of map[string]gorgonia.Nodes, block func(i int, x *gorgonia.Node, self attend) (*gorgonia.Node, error)) (*gorgonia.Node, []KeyValue, error) {
	x, err := c.embedStep(p, s, of)
	if err != nil {
		return nil, nil, err
	}
	added := make([]KeyValue, c.Decoder)
	for i := range added {
		if x, err = inNamed(p, decoderName(i), func() (*gorgonia.Node, error) { return block(i, x, stepped(s, i, &added[i])) }); err != nil {
			return nil, nil, err
		}
	}
	y, err := c.logits(p, x, of)
	return y, added, err
}

// stepped is the attend of one position in block i, which adds the keys and values
// added.
func stepped(s DecoderStep, i int, added *KeyValue) attend {
	return func(a *MultiHeadAttention, x *gorgonia.Node, theta gorgonia.Nodes) (*gorgonia.Node, error) {
		q, err := apoops.Dense(x, theta[0], apoops.Identity)
		if err != nil {
			return nil, err
		}
		if *added, err = a.Project(x, theta); err != nil {
			return nil, err
		}
		y, err := apoops.AttentionStep(q, added.Keys, added.Values, s.Earlier[i].Keys, s.Earlier[i].Values, s.Position, a.Heads)
		if err != nil {
			return nil, err
		}
		return apoops.Dense(y, theta[3], apoops.Identity)
	}
}

// embedStep builds the Q rows of a step's tokens and positions.
func (c TransformerConfig) embedStep(p *graph.Pass, s DecoderStep, of map[string]gorgonia.Nodes) (*gorgonia.Node, error) {
	if s.Tokens == nil || s.Tokens.Dims() != 1 || s.Position == nil {
		return nil, graph.ErrShape.Errorf("the step's tokens and positions are no vectors")
	}
	if len(s.Earlier) != c.Decoder || s.Earlier[0].Keys == nil {
		return nil, errors.Errorf("earlier keys and values of %d of %d blocks", len(s.Earlier), c.Decoder)
	}
	_, name := c.tables()
	x, err := c.embedding(0).Apply(p, s.Tokens, of[name])
	if err != nil {
		return nil, inLayer(name, err)
	}
	var table *gorgonia.Node
	if c.LearnedPositions > 0 {
		table = of[targetLearned][0]
	} else {
		most := s.Earlier[0].Keys.Shape()[0]/s.Tokens.Shape()[0] + 1
		origin := x.Graph().Constant(tensor.New(tensor.Of(x.Dtype()), tensor.WithShape(most, c.Width)))
		if table, err = apoops.AddPositions(origin, most, 1); err != nil {
			return nil, err
		}
	}
	rows, err := apoops.Take(table, s.Position, 0)
	if err != nil {
		return nil, err
	}
	return apoops.Add(x, rows)
}
