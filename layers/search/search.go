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

// decoder searches for targets of sources, the longest first. Element i of most is the
// largest length of the target of source i.
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
	sorted, most := make([][]int, len(order)), make([]int, len(order))
	for k, i := range order {
		sorted[k], most[k] = sources[i], s.config.longest(s.model, len(sources[i]))
	}
	all, err := s.decode.search(ctx, sorted, most)
	if err != nil {
		return nil, err
	}
	found := make([][]Hypothesis, len(sources))
	for k, i := range order {
		found[i] = all[k]
	}
	return found, nil
}

// together is the number of sentences that are searched at once, a power of 2, where a
// graph has sources of the given length and so many sentences are left.
func (c *Config) together(source, left int) int {
	n := 1
	for n < left && 2*n*source <= c.Batch {
		n *= 2
	}
	return n
}

// roundPower is the smallest power of 2 that is not below n.
func roundPower(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}
