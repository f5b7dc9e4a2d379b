package layers

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// What stands before and behind the blocks of a Transformer and of a language model.

// inNamed builds the output of a layer under its name, which errors have too.
func inNamed(p *graph.Pass, name string, build func() (*gorgonia.Node, error)) (*gorgonia.Node, error) {
	y, err := p.Layer(name, build)
	if err != nil {
		return nil, inLayer(name, err)
	}
	return y, nil
}

// embed builds the rows of N×T tokens: their embeddings times √Width and their
// positions, with dropout.
func (c TransformerConfig) embed(p *graph.Pass, table, learned string, tokens *gorgonia.Node, of map[string]gorgonia.Nodes) (*gorgonia.Node, error) {
	if tokens == nil || tokens.Dims() != 2 || tokens.Dtype() != tensor.Int {
		return nil, graph.ErrShape.Errorf("tokens are no N×T array of int")
	}
	return inNamed(p, table, func() (*gorgonia.Node, error) {
		x, err := c.embedding(0).Apply(p, tokens, of[table])
		if err != nil {
			return nil, err
		}
		length := tokens.Shape()[1]
		if c.LearnedPositions == 0 {
			x, err = apoops.AddPositions(x, length, 1)
		} else {
			x, err = c.addLearned(x, tokens.Shape(), of[learned][0])
		}
		if err != nil {
			return nil, err
		}
		return Dropout(c.Dropout).Apply(p, x, nil)
	})
}

// addLearned adds the first rows of a table of positions to those of each sentence.
func (c TransformerConfig) addLearned(x *gorgonia.Node, tokens tensor.Shape, table *gorgonia.Node) (*gorgonia.Node, error) {
	n, length := tokens[0], tokens[1]
	if length > c.LearnedPositions {
		return nil, graph.ErrShape.Errorf("sentences of %d positions, of which %d are learned", length, c.LearnedPositions)
	}
	rows, err := apoops.Slice(table, 0, 0, 1, length)
	if err != nil {
		return nil, err
	}
	all, err := apoops.Repeat(rows, 0, n, length, c.Width)
	if err != nil {
		return nil, err
	}
	if all, err = apoops.Reshape(all, n*length, c.Width); err != nil {
		return nil, err
	}
	return apoops.Add(x, all)
}

// finish is the normalisation at the end of a stack with PreNorm.
func (c TransformerConfig) finish(p *graph.Pass, norm string, x *gorgonia.Node, of map[string]gorgonia.Nodes) (*gorgonia.Node, error) {
	if !c.PreNorm {
		return x, nil
	}
	return inNamed(p, norm, func() (*gorgonia.Node, error) { return LayerNorm(c.Width).Apply(p, x, of[norm]) })
}

// logits builds those of the decoder's last block.
func (c TransformerConfig) logits(p *graph.Pass, x *gorgonia.Node, of map[string]gorgonia.Nodes) (*gorgonia.Node, error) {
	x, err := c.finish(p, decoderNorm, x, of)
	if err != nil {
		return nil, err
	}
	return inNamed(p, outputMatrix, func() (*gorgonia.Node, error) {
		if c.tied() {
			_, table := c.tables()
			return apoops.LinearTransposed(x, of[table][0])
		}
		return apoops.Linear(x, of[outputMatrix][0], apoops.Identity)
	})
}

// init draws the parameters. Each part has random numbers of its own, so its weights do
// not depend on the sizes of the others.
func (all parts) init(seed uint64, dt tensor.Dtype) ([]*graph.Param, error) {
	members := make([]member, len(all))
	for i, p := range all {
		specs, err := p.of.Params()
		if err != nil {
			return nil, errors.WithMessage(inLayer(p.name, err), "layers")
		}
		members[i] = member{name: p.name, specs: ofKind(p.of, specs)}
	}
	return initialize(members, seed, dt)
}
