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

// beams searches in numbers of type T. Row (i·Width+slot)·kept+t of the arrays kept is
// position t of a hypothesis of sentence i, row i·source+t of memory position t of its
// source; both have two arrays for each block of the decoder.
type beams[T apoops.Float] struct {
	config Config
	model  *layers.TransformerModel
	params []*graph.Param

	encoders     map[shape]*encoding
	steppers     map[shape]*stepping
	kept, memory [][]T
}

func newBeams[T apoops.Float](m *layers.TransformerModel, params []*graph.Param, c Config) decoder {
	return &beams[T]{
		config: c, model: m, params: params,
		encoders: make(map[shape]*encoding), steppers: make(map[shape]*stepping),
		kept: make([][]T, 2*m.Decoder), memory: make([][]T, 2*m.Decoder),
	}
}

// search implements decoder.
func (b *beams[T]) search(ctx context.Context, sources [][]int, most []int) ([][]Hypothesis, error) {
	longest := 0
	sentences := make([]*sentence, len(sources))
	for i, source := range sources {
		longest = max(longest, len(source)+1)
		sentences[i] = newSentence(i, len(source)+1, most[i], b.config.Width)
	}
	of := shape{roundPower(len(sources)), roundSource(longest), firstKept}
	if n := b.model.LearnedPositions; n > 0 {
		of.source = min(of.source, n)
	}
	b.reserve(of)
	if err := b.encode(of, sources); err != nil {
		return nil, err
	}
	found := make([][]Hypothesis, len(sources))
	for at := 0; len(sentences) > 0; at++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if at == of.kept {
			of = b.lengthen(of, len(sentences))
		}
		if err := b.step(of, sentences, at); err != nil {
			return nil, err
		}
		going := 0
		for _, s := range sentences {
			if s.done() {
				found[s.index] = s.found
			} else {
				going++
			}
		}
		if n := roundPower(going); going == 0 {
			sentences = nil
		} else if n < of.sentences {
			sentences = b.compact(of, sentences, at+1)
			of.sentences = n
		}
	}
	return found, nil
}

// encode sets the memory of the sources.
func (b *beams[T]) encode(of shape, sources [][]int) error {
	e, err := b.encoder(shape{of.sentences, of.source, 0})
	if err != nil {
		return err
	}
	tokens := e.source.Ints()
	for i := range tokens {
		tokens[i] = b.model.Padding
	}
	for i, source := range sources {
		row := tokens[i*of.source:]
		row[copy(row, source)] = b.config.End
	}
	if err := e.Run(); err != nil {
		return errors.WithMessage(err, "search: encoder")
	}
	for i, m := range b.memory {
		copy(m, apoops.Elements[T](e.Result(i)))
	}
	return nil
}

// step continues the hypotheses of all sentences, all of length at.
func (b *beams[T]) step(of shape, sentences []*sentence, at int) error {
	g, err := b.stepper(of)
	if err != nil {
		return err
	}
	b.feed(g, sentences, at)
	if err := g.Run(); err != nil {
		return errors.WithMessage(err, "search: step")
	}
	width, v := b.config.Width, b.model.Vocabulary
	y := apoops.Elements[T](g.Result(0))
	added := make([][]T, len(b.kept))
	for k := range added {
		added[k] = apoops.Elements[T](g.Result(1 + k))
	}
	par.For(len(sentences), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			s := sentences[i]
			if s.done() {
				continue
			}
			b.keep(of, i, s, added, at)
			advance(s, &b.config, b.model.Padding, at, func(slot int) []T {
				q := i*width + slot
				return y[q*v : (q+1)*v]
			})
			b.follow(of, i, s, at+1)
		}
	})
	for _, s := range sentences {
		if s.notNumbers {
			return graph.ErrNotFinite.Errorf("search: log probabilities of token %d of a target are no numbers", at+1)
		}
	}
	return nil
}

// feed sets the tokens, positions and lengths of a step. Rows without hypothesis are of
// padding.
func (b *beams[T]) feed(g *stepping, sentences []*sentence, at int) {
	tokens, position, lengths := g.tokens.Ints(), g.position.Ints(), g.lengths.Ints()
	for q := range tokens {
		tokens[q], position[q] = b.model.Padding, 0
	}
	clear(lengths)
	for i, s := range sentences {
		lengths[i] = s.length
		for _, h := range s.live {
			q := i*b.config.Width + h.slot
			tokens[q], position[q] = b.config.Begin, at
			if at > 0 {
				tokens[q] = h.tokens[at-1]
			}
		}
	}
}

// keep adds the keys and values of a position to those of a sentence's hypotheses.
func (b *beams[T]) keep(of shape, i int, s *sentence, added [][]T, at int) {
	d := b.model.Width
	for k, kept := range b.kept {
		for _, h := range s.live {
			q := i*b.config.Width + h.slot
			copy(kept[(q*of.kept+at)*d:], added[k][q*d:(q+1)*d])
		}
	}
}

// follow copies keys and values of the first positions to the slots of hypotheses that go
// on the same one.
func (b *beams[T]) follow(of shape, i int, s *sentence, positions int) {
	d := b.model.Width
	for _, kept := range b.kept {
		for _, c := range s.copies {
			from, to := (i*b.config.Width+c[0])*of.kept*d, (i*b.config.Width+c[1])*of.kept*d
			copy(kept[to:to+positions*d], kept[from:])
		}
	}
}

// lengthen doubles the number of positions that are kept.
func (b *beams[T]) lengthen(of shape, sentences int) shape {
	longer := of
	longer.kept *= 2
	b.reserve(longer)
	n := of.kept * b.model.Width
	for _, kept := range b.kept {
		for q := sentences*b.config.Width - 1; q > 0; q-- { // the last first: they move up
			copy(kept[2*q*n:], kept[q*n:(q+1)*n])
		}
	}
	return longer
}

// compact moves the sentences that go on together. positions are kept.
func (b *beams[T]) compact(of shape, sentences []*sentence, positions int) []*sentence {
	d := b.model.Width
	var going []*sentence
	for i, s := range sentences {
		if s.done() {
			continue
		}
		j := len(going)
		going = append(going, s)
		if i == j {
			continue
		}
		for _, m := range b.memory {
			n := of.source * d
			copy(m[j*n:(j+1)*n], m[i*n:])
		}
		for _, kept := range b.kept {
			n := of.kept * d
			for _, h := range s.live {
				to, from := (j*b.config.Width+h.slot)*n, (i*b.config.Width+h.slot)*n
				copy(kept[to:to+positions*d], kept[from:])
			}
		}
	}
	return going
}
