package search

import (
	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
)

// encoded are sentences whose memory is there before they have rows.
type encoded[T apoops.Float] struct {
	sentences []*sentence
	next      int   // the first of them that waits
	source    int   // the length of the source in memory
	memory    [][]T // as beams.memory
}

// encode sets the memory of as many of the sentences that wait as have rows.
func (b *beams[T]) encode(sources [][]int, waiting []*sentence) error {
	n := min(b.of.sentences, len(waiting))
	source := b.roundSource(waiting[0].length)
	e, err := b.encoder(shape{roundPower(n), source, 0})
	if err != nil {
		return err
	}
	tokens := e.source.Ints()
	for i := range tokens {
		tokens[i] = b.model.Padding
	}
	for i, s := range waiting[:n] {
		row := tokens[i*source:]
		row[copy(row, sources[s.index])] = b.config.End
	}
	if err := e.Run(); err != nil {
		return errors.WithMessage(err, "search: encoder")
	}
	b.encoded.sentences, b.encoded.next, b.encoded.source = waiting[:n], 0, source
	grow(b.encoded.memory, n*source*b.model.Width)
	for i, m := range b.encoded.memory {
		copy(m, apoops.Elements[T](e.Result(i)))
	}
	return nil
}

// roundSource is the length of the source in a graph.
func (b *beams[T]) roundSource(length int) int {
	n := (length + 7) / 8 * 8
	if most := b.model.LearnedPositions; most > 0 {
		n = min(n, most)
	}
	return n
}

// fit chooses the shape for the sentences that have rows and those that wait, and moves
// the first to rows that stand together. All sentences that wait are shorter. While some
// do, rows that get free are given to them, and there are as many as the batch allows;
// then there are half as many as soon as those that are left fit.
func (b *beams[T]) fit(waiting []*sentence) {
	longest, at, live := 0, 0, 0
	for _, s := range b.rows {
		if s != nil {
			longest, at, live = max(longest, s.length), max(at, s.at), live+1
		}
	}
	if len(waiting) > 0 {
		longest = max(longest, waiting[0].length)
	}
	to := shape{source: b.roundSource(longest), kept: b.of.kept}
	if to.sentences = b.config.together(to.source, live+len(waiting)); live+len(waiting) == 0 {
		to.sentences = 0
	}
	if to.source < b.of.source { // a chance to keep fewer positions
		to.kept = firstKept
	}
	for to.kept <= at {
		to.kept *= 2
	}
	if to != b.of {
		b.move(to)
	}
}

// move changes the shape: the sentences move to the first rows, which then get the new
// lengths.
func (b *beams[T]) move(to shape) {
	b.reserve(to)
	from, rows, width := b.of, b.rows, b.config.Width
	b.of, b.rows = to, make([]*sentence, to.sentences)
	n, d := 0, b.model.Width
	for i, s := range rows {
		if s == nil {
			continue
		}
		if n < i {
			moveRows(b.memory, i, n, 1, from.source*d)
			moveRows(b.kept, i, n, width, from.kept*d)
		}
		b.rows[n] = s
		n++
	}
	resizeRows(b.memory, n, from.source*d, to.source*d)
	resizeRows(b.kept, n*width, from.kept*d, to.kept*d)
}

// moveRows copies a sentence's rows, so many of the given length.
func moveRows[T apoops.Float](arrays [][]T, from, to, rows, length int) {
	for _, a := range arrays {
		copy(a[to*rows*length:(to+1)*rows*length], a[from*rows*length:])
	}
}

// resizeRows changes the length of the rows.
func resizeRows[T apoops.Float](arrays [][]T, rows, from, to int) {
	if from == to {
		return
	}
	n := min(from, to)
	for _, a := range arrays {
		for i := range rows {
			if to > from { // they move up: the last first
				i = rows - 1 - i
			}
			copy(a[i*to:i*to+n], a[i*from:])
		}
	}
}
