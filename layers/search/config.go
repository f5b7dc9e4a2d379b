package search

import (
	"cmp"
	"math"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/layers"
)

// Config are the settings of a search.
type Config struct {
	// Width is the number of hypotheses of a sentence, 0 for 5. With 1 the search is
	// greedy.
	Width int
	// LengthPenalty is the exponent of the length in the score, nil for 1. With 0 the
	// score is the log probability.
	LengthPenalty *float64
	// PerToken and Extra bound the length of a target of a source of n tokens, a·n + b
	// rounded down, both without the token that ends; at least 1. Both 0 stand for 1.2
	// and 10.
	PerToken, Extra float64
	// MaxSource is the largest number of tokens of a source, without the one that ends; 0
	// for 1023.
	MaxSource int
	// Begin and End are the tokens around a target. End ends a source too. They must
	// differ from each other and from the model's padding.
	Begin, End int
	// Batch is the largest number of source tokens, padding included, that are searched
	// together, 0 for 1024. A longer sentence is searched alone.
	Batch int
}

// complete replaces zeros by the defaults and checks the settings for the model.
func (c *Config) complete(m layers.TransformerConfig) error {
	c.Width = cmp.Or(c.Width, 5)
	c.MaxSource = cmp.Or(c.MaxSource, 1023)
	c.Batch = cmp.Or(c.Batch, 1024)
	if c.PerToken == 0 && c.Extra == 0 {
		c.PerToken, c.Extra = 1.2, 10
	}
	if c.LengthPenalty == nil {
		one := 1.0
		c.LengthPenalty = &one
	}
	source := cmp.Or(m.SourceVocabulary, m.Vocabulary)
	if n := m.LearnedPositions; n > 0 {
		c.MaxSource = min(c.MaxSource, n-1)
	}
	switch {
	case c.Width < 1 || c.Width > m.Vocabulary:
		return errors.Errorf("search: Width %d: it must be from 1 to %d, the size of the vocabulary", c.Width, m.Vocabulary)
	case math.IsNaN(*c.LengthPenalty) || math.IsInf(*c.LengthPenalty, 0):
		return errors.Errorf("search: LengthPenalty %v is not finite", *c.LengthPenalty)
	case !(c.PerToken >= 0 && c.Extra >= 0 && c.PerToken+c.Extra <= mostTokens):
		return errors.Errorf("search: PerToken %v, Extra %v: each must be at least 0, both together at most %d", c.PerToken, c.Extra, mostTokens)
	case c.MaxSource < 1 || c.MaxSource > mostTokens:
		return errors.Errorf("search: MaxSource %d: it must be from 1 to %d", c.MaxSource, mostTokens)
	case c.Batch < 1 || c.Batch > mostTokens:
		return errors.Errorf("search: Batch %d: it must be from 1 to %d", c.Batch, mostTokens)
	case c.Begin < 0 || c.Begin >= m.Vocabulary || c.End < 0 || c.End >= min(m.Vocabulary, source):
		return errors.Errorf("search: Begin %d, End %d: no tokens of vocabularies of %d and %d", c.Begin, c.End, source, m.Vocabulary)
	case c.Begin == c.End || c.Begin == m.Padding || c.End == m.Padding:
		return errors.Errorf("search: Begin %d, End %d, padding %d: they must differ", c.Begin, c.End, m.Padding)
	}
	return nil
}

// mostTokens bounds lengths and batches, far above what is of use.
const mostTokens = 1 << 20

// longest is the largest number of tokens, without End, of the target of a source.
func (c *Config) longest(m layers.TransformerConfig, source int) int {
	most := math.Floor(c.PerToken*float64(source) + c.Extra)
	if m.LearnedPositions > 0 { // Begin has a position too
		most = min(most, float64(m.LearnedPositions-1))
	}
	return int(max(1, min(most, mostTokens)))
}

// check reports a source that cannot be searched, by its number counted from 1.
func (c *Config) check(m layers.TransformerConfig, i int, source []int) error {
	vocabulary := cmp.Or(m.SourceVocabulary, m.Vocabulary)
	switch {
	case len(source) == 0:
		return errors.Errorf("search: sentence %d is empty", i+1)
	case len(source) > c.MaxSource:
		return errors.Errorf("search: sentence %d has %d tokens, more than %d", i+1, len(source), c.MaxSource)
	}
	for at, token := range source {
		if token < 0 || token >= vocabulary || token == m.Padding {
			return errors.Errorf("search: sentence %d: token %d is %d: it must be from 0 to %d and not the padding, %d", i+1, at+1, token, vocabulary-1, m.Padding)
		}
	}
	return nil
}
