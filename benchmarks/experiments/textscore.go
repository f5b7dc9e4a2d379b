package experiments

import (
	"context"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/layers/search"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/text"
	"github.com/apo-gorgonia/apo/trainers/text/bleu"
)

// beamWidth is the number of hypotheses of a sentence, fairseq's default and the usual
// one for IWSLT'14.
const beamWidth = 5

// score is Problem.Score: the BLEU, from 0 to 100, of the translations of the test as
// lower-case tokens.
func (e *encoded) score(c Config) func(context.Context, *trainers.Trainer) (float64, error) {
	return func(ctx context.Context, tr *trainers.Trainer) (score float64, err error) {
		err = tr.Evaluated(func() error {
			score, err = e.bleu(ctx, c, tr)
			return err
		})
		return score, err
	}
}

// bleu is that of the weights as they are.
func (e *encoded) bleu(ctx context.Context, c Config, tr *trainers.Trainer) (float64, error) {
	s, err := search.New(transformer(c), tr.Params(), search.Config{Width: beamWidth, Begin: text.Begin, End: text.End})
	if err != nil {
		return 0, err
	}
	found, err := s.Search(ctx, e.EncodeAll(e.test.Source))
	if err != nil {
		return 0, err
	}
	hypotheses, references := make([][]string, len(found)), make([][]string, len(found))
	for i := range found {
		references[i] = text.Tokens(e.test.Target[i])
		if len(found[i]) == 0 {
			continue // an empty translation
		}
		if hypotheses[i], err = e.words(found[i][0].Tokens); err != nil {
			return 0, errors.WithMessagef(err, "sentence %d", i+1)
		}
	}
	result, err := bleu.Corpus(hypotheses, references)
	return result.BLEU, err
}

// words are those of ids. A row of the table that stands for no token, which an untrained
// net may choose, is an unknown word.
func (e *encoded) words(ids []int) ([]string, error) {
	ids = slices.Clone(ids)
	for i, id := range ids {
		if id >= e.Vocabulary.Size() {
			ids[i] = text.Unknown
		}
	}
	return e.Words(ids)
}
