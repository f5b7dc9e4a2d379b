package search

import (
	"context"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// firstKept is the smallest number of positions that are kept.
const firstKept = 16

// beams searches in numbers of type T. A sentence has a row of the graph's shape, of. Row
// (i·Width+slot)·of.kept+t of the arrays kept is position t of a hypothesis of the
// sentence in row i, row i·of.source+t of memory position t of its source; both have two
// arrays for each block of the decoder.
type beams[T apoops.Float] struct {
	config Config
	model  *layers.TransformerModel
	params []*graph.Param

	encoders     map[shape]*encoding
	steppers     map[shape]*stepping
	kept, memory [][]T
	encoded      encoded[T]

	// The search that runs.
	of   shape
	rows []*sentence // nil where there is none
}

func newBeams[T apoops.Float](m *layers.TransformerModel, params []*graph.Param, c Config) decoder {
	return &beams[T]{
		config: c, model: m, params: params,
		encoders: make(map[shape]*encoding), steppers: make(map[shape]*stepping),
		kept: make([][]T, 2*m.Decoder), memory: make([][]T, 2*m.Decoder),
		encoded: encoded[T]{memory: make([][]T, 2*m.Decoder)},
	}
}

// search implements decoder.
func (b *beams[T]) search(ctx context.Context, sources [][]int, most []int) ([][]Hypothesis, error) {
	found := make([][]Hypothesis, len(sources))
	waiting := make([]*sentence, len(sources))
	for i, source := range sources {
		waiting[i] = newSentence(i, len(source)+1, most[i], b.config.Width)
	}
	b.encoded.next, b.encoded.sentences = 0, nil
	b.of, b.rows = shape{kept: firstKept}, nil
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b.fit(waiting)
		if b.of.sentences == 0 {
			return found, nil
		}
		var err error
		if waiting, err = b.fill(sources, waiting); err != nil {
			return nil, err
		}
		if err := b.step(); err != nil {
			return nil, err
		}
		for i, s := range b.rows {
			if s != nil && s.done() {
				found[s.index] = s.found
				b.rows[i] = nil
			}
		}
	}
}

// fill gives free rows to sentences that wait, and returns those that still do.
func (b *beams[T]) fill(sources [][]int, waiting []*sentence) ([]*sentence, error) {
	d := b.model.Width
	for i, s := range b.rows {
		if s != nil || len(waiting) == 0 {
			continue
		}
		if b.encoded.next == len(b.encoded.sentences) {
			if err := b.encode(sources, waiting); err != nil {
				return nil, err
			}
		}
		b.rows[i], waiting = waiting[0], waiting[1:]
		from := b.encoded.next * b.encoded.source * d
		for k, m := range b.memory {
			copy(m[i*b.of.source*d:], b.encoded.memory[k][from:from+b.rows[i].length*d])
		}
		b.encoded.next++
	}
	return waiting, nil
}

// step continues the hypotheses of all sentences.
func (b *beams[T]) step() error {
	g, err := b.stepper(b.of)
	if err != nil {
		return err
	}
	b.feed(g)
	if err := g.Run(); err != nil {
		return errors.WithMessage(err, "search: step")
	}
	width, v := b.config.Width, b.model.Vocabulary
	logits, totals := apoops.Elements[T](g.Result(0)), apoops.Elements[T](g.Result(1))
	added := make([][]T, len(b.kept))
	for k := range added {
		added[k] = apoops.Elements[T](g.Result(2 + k))
	}
	par.For(len(b.rows), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			s := b.rows[i]
			if s == nil {
				continue
			}
			b.keep(i, s, added)
			advance(s, &b.config, b.model.Padding, func(slot int) ([]T, T) {
				q := i*width + slot
				return logits[q*v : (q+1)*v], totals[q]
			})
			b.follow(i, s)
		}
	})
	for _, s := range b.rows {
		if s != nil && s.notNumbers {
			return graph.ErrNotFinite.Errorf("search: log probabilities of token %d of a target are no numbers", s.at+1)
		}
	}
	return nil
}

// feed sets the tokens, positions and lengths of a step. Rows without hypothesis are of
// padding.
func (b *beams[T]) feed(g *stepping) {
	tokens, position, lengths := g.tokens.Ints(), g.position.Ints(), g.lengths.Ints()
	for q := range tokens {
		tokens[q], position[q] = b.model.Padding, 0
	}
	clear(lengths)
	for i, s := range b.rows {
		if s == nil {
			continue
		}
		lengths[i] = s.length
		for _, h := range s.live {
			q := i*b.config.Width + h.slot
			tokens[q], position[q] = b.config.Begin, s.at
			if s.at > 0 {
				tokens[q] = h.tokens[s.at-1]
			}
		}
	}
}

// keep adds the keys and values of a position to those of a sentence's hypotheses.
func (b *beams[T]) keep(i int, s *sentence, added [][]T) {
	d := b.model.Width
	for k, kept := range b.kept {
		for _, h := range s.live {
			q := i*b.config.Width + h.slot
			copy(kept[(q*b.of.kept+s.at)*d:], added[k][q*d:(q+1)*d])
		}
	}
}

// follow copies keys and values to the slots of hypotheses that go on the same one.
func (b *beams[T]) follow(i int, s *sentence) {
	d := b.model.Width
	for _, kept := range b.kept {
		for _, c := range s.copies {
			from, to := (i*b.config.Width+c[0])*b.of.kept*d, (i*b.config.Width+c[1])*b.of.kept*d
			copy(kept[to:to+s.at*d], kept[from:])
		}
	}
}
