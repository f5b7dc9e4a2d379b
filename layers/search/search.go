package search

import (
	"cmp"
	"context"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
)

// Hypothesis is a target that was found.
type Hypothesis struct {
	// Tokens are those between Begin and End.
	Tokens []int
	// LogProbability is the sum of the log probabilities of the tokens and of End, Score
	// that divided by the length to the power LengthPenalty.
	LogProbability, Score float64
}

// Searcher searches by one model. It must not be used by two goroutines at once.
type Searcher struct {
	config Config
	model  layers.TransformerConfig
	decode decoder
}

// decoder searches sentences together, sources of at most s tokens with End. Element i
// of most is the largest length of the target of sentence i.
type decoder interface {
	search(ctx context.Context, sources [][]int, most []int) ([][]Hypothesis, error)
}

// New makes a searcher. The parameters are those of the model's Init, or a trainer's:
// each search takes the weights that they have then.
func New(m *layers.TransformerModel, params []*graph.Param, c Config) (*Searcher, error) {
	if m == nil {
		return nil, errors.New("search: no model")
	}
	if err := graph.CheckParams(params); err != nil {
		return nil, errors.WithMessage(err, "search")
	}
	if err := c.complete(m.TransformerConfig); err != nil {
		return nil, err
	}
	make, err := apoops.Choose(params[0].Value.Dtype(), newBeams[float32], newBeams[float64])
	if err != nil {
		return nil, errors.WithMessage(err, "search")
	}
	return &Searcher{c, m.TransformerConfig, make(m, params, c)}, nil
}

// Search finds targets of the sources, sentences of token ids without End: of each at
// most Width, the best first. A sentence that is empty, too long or has a token that the
// model does not know is an error that names its number, counted from 1, and nothing is
// searched. The result of a sentence does not depend on the others but for rounding.
func (s *Searcher) Search(ctx context.Context, sources [][]int) ([][]Hypothesis, error) {
	order := make([]int, len(sources)) // the longest first
	for i, source := range sources {
		if err := s.config.check(s.model, i, source); err != nil {
			return nil, err
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(sources[b]), len(sources[a])) })
	found := make([][]Hypothesis, len(sources))
	for len(order) > 0 {
		n := min(len(order), s.together(len(sources[order[0]])+1))
		group, most := make([][]int, n), make([]int, n)
		for k, i := range order[:n] {
			group[k], most[k] = sources[i], s.config.longest(s.model, len(sources[i]))
		}
		all, err := s.decode.search(ctx, group, most)
		if err != nil {
			return nil, err
		}
		for k, i := range order[:n] {
			found[i] = all[k]
		}
		order = order[n:]
	}
	return found, nil
}

// together is the number of sentences of a length that are searched at once, a power
// of 2.
func (s *Searcher) together(length int) int {
	n := 1
	for 2*n*roundSource(length) <= s.config.Batch {
		n *= 2
	}
	return n
}

// roundSource is the length of the source in a graph.
func roundSource(length int) int { return (length + 7) / 8 * 8 }

// roundPower is the smallest power of 2 that is not below n.
func roundPower(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}
