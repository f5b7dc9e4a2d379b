package experiments

import (
	"context"
	"math/rand/v2"
	"strings"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/batch"
	"github.com/apo-gorgonia/apo/trainers/datasets"
	"github.com/apo-gorgonia/apo/trainers/text"
)

// textSet is a text in two languages.
type textSet struct {
	name, title string // for settings and for texts
	load        func(ctx context.Context) (datasets.Translation, error)
}

var (
	multi30k = textSet{"multi30k", "Multi30k German-English, 29000 pairs",
		func(ctx context.Context) (datasets.Translation, error) { return datasets.Multi30k(ctx) }}
	iwslt14 = textSet{"iwslt14", "IWSLT'14 German-English",
		func(ctx context.Context) (datasets.Translation, error) { return datasets.IWSLT14(ctx) }}
	// numerals has the sentences of smoke runs.
	numerals = textSet{"numerals", "synthetic numerals", func(context.Context) (datasets.Translation, error) { return spelledNumbers(), nil }}
)

func textSetOf(name string) (textSet, error) {
	for _, s := range []textSet{multi30k, iwslt14, numerals} {
		if s.name == name {
			return s, nil
		}
	}
	return textSet{}, errors.Errorf("no text %q", name)
}

// spelledNumbers are rows of digits, in words of two languages.
func spelledNumbers() datasets.Translation {
	de, en := strings.Fields("null eins zwei drei vier fünf sechs sieben acht neun"), strings.Fields("zero one two three four five six seven eight nine")
	rng := rand.New(rand.NewPCG(14, 1))
	draw := func(title string, n int) (p text.Parallel) {
		p.Title, p.Whole = "numerals, "+title, n
		for range n {
			var source, target []string
			for range 3 + rng.IntN(8) {
				digit := rng.IntN(len(de))
				source, target = append(source, de[digit]), append(target, en[digit])
			}
			p.Source, p.Target = append(p.Source, strings.Join(source, " ")), append(p.Target, strings.Join(target, " "))
		}
		return p
	}
	return datasets.Translation{Train: draw("train", 200), Valid: draw("valid", 20), Tests: []text.Parallel{draw("test", 20)}}
}

// encoded is a text with its encoding.
type encoded struct {
	text.Encoding
	train, valid, test text.Parallel
}

// encode makes tokens of a text by one byte-pair encoding for both languages: by the
// text's codes or, without any, by codes learned on its training part. The joint
// vocabulary is that of the training part.
func encode(t datasets.Translation, c Config) (*encoded, error) {
	t = t.Tokenized()
	if len(t.Tests) == 0 {
		return nil, errors.Errorf("%s has no test part", c.Set)
	}
	e := &encoded{train: t.Train, valid: t.Valid, test: t.Tests[0]}
	codes := t.Codes
	if codes == nil {
		words := new(text.Counts)
		words.AddLines(t.Train.Source...)
		words.AddLines(t.Train.Target...)
		var err error
		if codes, err = text.Learn(words, int(c.Own[ownMerges])); err != nil {
			return nil, err
		}
	}
	e.BPE = text.NewBPE(codes)
	tokens := new(text.Counts)
	for _, side := range [][]string{t.Train.Source, t.Train.Target} {
		for _, line := range side {
			tokens.AddLines(e.BPE.Line(line))
		}
	}
	e.Vocabulary = text.NewVocabulary(tokens, 1)
	if n, rows := e.Vocabulary.Size(), int(c.Own[ownVocabulary]); n > rows {
		return nil, errors.Errorf("%s: a vocabulary of %d tokens for a table of %d rows", c.Set, n, rows)
	}
	return e, nil
}

// pairs are those of one part. What is too long or does not fit into a batch is left out.
func (e *encoded) pairs(p text.Parallel, c Config) (*pairs, error) {
	tokens := batch.TokenConfig{Tokens: c.Batch, DropLong: true}
	if length := int(c.Own[ownLength]); length > 0 {
		tokens.MaxLength, tokens.Lengths = length, []int{length}
	}
	return newPairs(e.EncodeAll(p.Source), e.EncodeAll(p.Target), tokens)
}

// pairs is a set of pairs of sentences of which parts can be taken.
type pairs struct {
	*batch.Sentences
	source, target [][]int
	c              batch.TokenConfig
}

func newPairs(source, target [][]int, c batch.TokenConfig) (*pairs, error) {
	s, err := batch.NewSentences(source, target, c)
	return &pairs{s, source, target, c}, err
}

// Part implements divisible. The batches of a part have the shapes of the whole.
func (p *pairs) Part(from, n int) (trainers.Dataset, error) {
	c := p.c
	c.Lengths = nil
	for _, shape := range p.Shapes() {
		c.Lengths = append(c.Lengths, shape[1])
	}
	return newPairs(p.source[from:from+n], p.target[from:from+n], c)
}

// Batches implements batched.
func (p *pairs) Batches(seed uint64) (Batches, error) {
	return batch.NewTokenBatches(p.Sentences, seed)
}
