package batch

import (
	"cmp"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// The ids of tokens that batches of sentences add, those of package text.
const (
	Padding = 0 // behind the end of shorter sentences
	Begin   = 1 // before the first token of a target
	End     = 2 // behind the last token of a sentence
)

// TokenConfig says how batches are made of sentences.
type TokenConfig struct {
	// Tokens is the largest size of a batch, rows times padded length, where that is the
	// longer of source and target: what fairseq's --max-tokens counts. 0 means 4096.
	Tokens int
	// MaxLength is the largest length of a sentence, with the token that ends it. 0 means
	// 1024, or Tokens where that is less.
	MaxLength int
	// DropLong leaves out pairs with a sentence above MaxLength, which are an error
	// otherwise. Sentences.Dropped counts them.
	DropLong bool
	// Buckets is the largest number of padded lengths, and so of shapes: 0 means 8, what
	// a trainer keeps graphs for. They are those that leave the least padding.
	Buckets int
	// Lengths are the padded lengths themselves, ascending; nil to choose them.
	Lengths []int
}

// Sentences is a set of sentences, or of pairs of them, as token ids without padding, begin
// and end. It is a Dataset, whose batches are padded to the longest, and Partitioned:
// Evaluate takes each sentence once, in batches of few shapes.
type Sentences struct {
	c              TokenConfig
	source, target [][]int // source is nil for a language model
	lengths        []int   // padded, ascending
	bucket         [][]int // the sentences of each length
	dropped        int
}

var _ Partitioned = (*Sentences)(nil)

// NewSentences checks the sentences of a translation, line by line in the order of the
// files, or with a nil source those of a language model. An empty sentence, an id below 3
// other than that of an unknown token, or a sentence that is too long is an error that
// names the line, counted from 1. The lists are kept, not copied.
//
// A batch of n pairs padded to the length L has the inputs n×L source (… <eos>) and n×L
// target (<bos> y1 … yn) and the targets n×L (y1 … yn <eos>), all of tensor.Int; that of a
// language model has no source.
func NewSentences(source, target [][]int, c TokenConfig) (*Sentences, error) {
	c.Tokens = cmp.Or(c.Tokens, 4096)
	c.Buckets = cmp.Or(c.Buckets, 8)
	c.MaxLength = cmp.Or(c.MaxLength, min(1024, c.Tokens))
	switch {
	case c.Tokens < 1 || c.Buckets < 1 || c.MaxLength < 2:
		return nil, errors.Errorf("trainers: batches of at most %d tokens in %d buckets of sentences up to %d: each must be positive, a length at least 2", c.Tokens, c.Buckets, c.MaxLength)
	case c.MaxLength > c.Tokens:
		return nil, errors.Errorf("trainers: sentences up to %d tokens do not fit into batches of %d", c.MaxLength, c.Tokens)
	case source != nil && len(source) != len(target):
		return nil, errors.Errorf("trainers: %d source sentences and %d target sentences", len(source), len(target))
	}
	s := &Sentences{c: c}
	if source != nil {
		s.source = make([][]int, 0, len(source))
	}
	for i := range target {
		if err := s.add(i, source, target); err != nil {
			return nil, err
		}
	}
	if len(s.target) == 0 {
		return nil, errors.Errorf("trainers: no sentences (%d were dropped as too long)", s.dropped)
	}
	return s, s.sort()
}

// add takes sentence i.
func (s *Sentences) add(i int, source, target [][]int) error {
	pair := map[string][]int{"target": target[i]}
	if source != nil {
		pair["source"] = source[i]
	}
	for _, side := range []string{"source", "target"} {
		ids, ok := pair[side]
		switch {
		case !ok:
			continue
		case len(ids) == 0:
			return errors.Errorf("trainers: line %d: the %s sentence is empty", i+1, side)
		case len(ids)+1 > s.c.MaxLength && s.c.DropLong:
			s.dropped++
			return nil
		case len(ids)+1 > s.c.MaxLength:
			return errors.Errorf("trainers: line %d: the %s sentence has %d tokens with its end, more than %d (MaxLength): shorten it, or set DropLong", i+1, side, len(ids)+1, s.c.MaxLength)
		}
		for j, id := range ids {
			if id <= End {
				return errors.Errorf("trainers: line %d: token %d of the %s sentence has the id %d, which stands for padding, begin or end", i+1, j+1, side, id)
			}
		}
	}
	if source != nil {
		s.source = append(s.source, source[i])
	}
	s.target = append(s.target, target[i])
	return nil
}

// length is that of the longer of a pair, with its end.
func (s *Sentences) length(i int) int {
	n := len(s.target[i])
	if s.source != nil {
		n = max(n, len(s.source[i]))
	}
	return n + 1
}

// Len is the number of sentences, or of pairs.
func (s *Sentences) Len() int { return len(s.target) }

// Dropped is the number of sentences, or of pairs, that were left out as too long.
func (s *Sentences) Dropped() int { return s.dropped }

// Shapes are the rows and the padded length of the batches, ascending in length.
func (s *Sentences) Shapes() (all [][2]int) {
	for _, length := range s.lengths {
		all = append(all, [2]int{s.rows(length), length})
	}
	return all
}

// rows is the number of sentences in a batch of a padded length.
func (s *Sentences) rows(length int) int { return s.c.Tokens / length }

// Check implements Dataset.
func (s *Sentences) Check() error {
	if s.Len() == 0 {
		return errors.New("trainers: no sentences: make them with NewSentences")
	}
	return nil
}

// NewBatch implements Dataset, for sentences of any length in the set.
func (s *Sentences) NewBatch(n int) graph.Batch { return s.padded(n, s.lengths[len(s.lengths)-1]) }

// padded makes the arrays for n sentences of a padded length.
func (s *Sentences) padded(n, length int) graph.Batch {
	array := func() *tensor.Dense { return tensor.New(tensor.Of(tensor.Int), tensor.WithShape(n, length)) }
	b := graph.NewBatch(array(), array())
	if s.source != nil {
		b.X = append(b.X, array())
	}
	return b
}

// Fill implements Dataset.
func (s *Sentences) Fill(b graph.Batch, rows []int, _ Draw) {
	into, targets := b.X[len(b.X)-1], b.T[0]
	length := targets.Shape()[1]
	for i, r := range rows {
		from, to := i*length, (i+1)*length
		if s.source != nil {
			write(b.X[0].Ints()[from:to], s.source[r], End)
		}
		write(targets.Ints()[from:to], s.target[r], End)
		in := into.Ints()[from:to]
		in[0] = Begin
		write(in[1:], s.target[r])
	}
}

// write sets a row to a sentence, what follows it and padding.
func write(row, sentence []int, behind ...int) {
	n := copy(row, sentence)
	n += copy(row[n:], behind)
	clear(row[n:])
}

// Partitioned is a Dataset that parts itself into batches of different shapes. Evaluate
// takes these.
type Partitioned interface {
	Dataset
	// Parts are the rows of batches of at most that many rows, each row in one of them.
	Parts(most int) [][]int
	// NewPart makes the arrays of a batch of these rows, for Fill.
	NewPart(rows []int) graph.Batch
}

// Parts implements Partitioned: batches of one padded length each, of at most
// TokenConfig.Tokens. The last one of a length may have fewer rows, so there are at most
// twice as many shapes as lengths.
func (s *Sentences) Parts(most int) (parts [][]int) {
	for i, rows := range s.bucket {
		n := max(1, min(most, s.rows(s.lengths[i])))
		for ; len(rows) > n; rows = rows[n:] {
			parts = append(parts, rows[:n:n])
		}
		if len(rows) > 0 {
			parts = append(parts, rows)
		}
	}
	return parts
}

// NewPart implements Partitioned.
func (s *Sentences) NewPart(rows []int) graph.Batch {
	return s.padded(len(rows), s.lengths[s.bucketOf(rows[0])])
}
