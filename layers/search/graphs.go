package search

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// shape is what a graph is built for: sentences, length of the source, and positions
// that are kept, 0 for an encoder.
type shape struct{ sentences, source, kept int }

// mostGraphs is the largest number of encoders, and of steps, that are kept: more than
// sentences of up to 80 tokens need. Beyond it all go.
const mostGraphs = 128

// keepGraph adds a graph.
func keepGraph[G any](graphs map[shape]G, of shape, g G) {
	if len(graphs) >= mostGraphs {
		clear(graphs)
	}
	graphs[of] = g
}

// encoding is the graph of the encoder. Its results are the keys and values of each
// decoder block's attention to the source.
type encoding struct {
	*graph.Forward
	source *tensor.Dense // sentences × source
}

// stepping is the graph of a step. Its results are the logits of the next token, for each
// hypothesis the logarithm of the sum of their exponentials, and keys and values of the
// new position in each block.
type stepping struct {
	*graph.Forward
	tokens, position *tensor.Dense // of each hypothesis
	lengths          *tensor.Dense // of each sentence's source
}

func ints(shape ...int) *tensor.Dense {
	return tensor.New(tensor.Of(tensor.Int), tensor.WithShape(shape...))
}

// encoder is the graph for a shape, built when first needed.
func (b *beams[T]) encoder(of shape) (*encoding, error) {
	if e := b.encoders[of]; e != nil {
		return e, nil
	}
	e := &encoding{source: ints(of.sentences, of.source)}
	var err error
	e.Forward, err = graph.NewForward(b.params, []*tensor.Dense{e.source}, func(p *graph.Pass, x, theta gorgonia.Nodes) (all gorgonia.Nodes, err error) {
		memory, _, err := b.model.Encode(p, x[0], theta)
		if err != nil {
			return nil, err
		}
		kv, err := b.model.Memory(memory, theta)
		for _, block := range kv {
			all = append(all, block.Keys, block.Values)
		}
		return all, err
	})
	if err != nil {
		return nil, errors.WithMessage(err, "search: encoder")
	}
	keepGraph(b.encoders, of, e)
	return e, nil
}

// stepper is the graph for a shape, built when first needed. Its keys and values lie in
// the arrays that all graphs share.
func (b *beams[T]) stepper(of shape) (*stepping, error) {
	if s := b.steppers[of]; s != nil {
		return s, nil
	}
	q := of.sentences * b.config.Width
	s := &stepping{tokens: ints(q), position: ints(q), lengths: ints(of.sentences)}
	inputs := []*tensor.Dense{s.tokens, s.position, s.lengths}
	for _, a := range b.kept {
		inputs = append(inputs, b.array(a, q*of.kept))
	}
	for _, a := range b.memory {
		inputs = append(inputs, b.array(a, of.sentences*of.source))
	}
	var err error
	s.Forward, err = graph.NewForward(b.params, inputs, func(p *graph.Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
		in := layers.DecoderStep{Tokens: x[0], Position: x[1], MemoryMask: layers.AttentionMask{Examples: of.sentences, Lengths: x[2]}}
		in.Earlier, x = pairs(x[3:], b.model.Decoder)
		in.Memory, _ = pairs(x, b.model.Decoder)
		logits, added, err := b.model.Step(p, in, theta)
		if err != nil {
			return nil, err
		}
		total, err := apoops.LogSumExp(logits)
		all := gorgonia.Nodes{logits, total}
		for _, block := range added {
			all = append(all, block.Keys, block.Values)
		}
		return all, err
	})
	if err != nil {
		return nil, errors.WithMessage(err, "search: step")
	}
	keepGraph(b.steppers, of, s)
	return s, nil
}

// pairs are the keys and values of n blocks, and what is behind them.
func pairs(x gorgonia.Nodes, n int) (all []layers.KeyValue, rest gorgonia.Nodes) {
	for i := range n {
		all = append(all, layers.KeyValue{Keys: x[2*i], Values: x[2*i+1]})
	}
	return all, x[2*n:]
}

// array is a matrix of so many rows at the beginning of shared memory.
func (b *beams[T]) array(memory []T, rows int) *tensor.Dense {
	n := rows * b.model.Width
	return tensor.New(tensor.WithShape(rows, b.model.Width), tensor.WithBacking(memory[:n:n]))
}

// reserve makes the shared memory large enough for a shape. Graphs over smaller memory
// go.
func (b *beams[T]) reserve(of shape) {
	kept := of.sentences * b.config.Width * of.kept * b.model.Width
	memory := of.sentences * of.source * b.model.Width
	if kept <= len(b.kept[0]) && memory <= len(b.memory[0]) {
		return
	}
	clear(b.steppers)
	grow(b.kept, kept)
	grow(b.memory, memory)
}

// grow makes arrays at least so long. Their elements stay.
func grow[T apoops.Float](arrays [][]T, length int) {
	for i, a := range arrays {
		if len(a) < length {
			arrays[i] = make([]T, length)
			copy(arrays[i], a)
		}
	}
}
