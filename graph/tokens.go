package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TokenSettings say which positions of sentences count, and how, in a loss or a
// divergence of models of text. Their outputs are logits (N·T)×V, row n·T+t for position t
// of sentence n.
type TokenSettings struct {
	// Padding is the token at positions that do not count. Where it is negative all
	// count.
	Padding int
	// Smoothing is ε of label smoothing, in [0, 1).
	Smoothing float64
	// Tokens says which input has the tokens, N×T, whose padding has no output that
	// counts where there are no targets: how many inputs stand behind it. 0 is the last
	// one, such as a decoder's input.
	Tokens int
}

// TokenCrossEntropy is the mean of the cross-entropy over the targets, an array N×T of
// tensor.Int, that are not padding, see apoops.TokenCrossEntropy. Its divergence is
// TokenKL. Drawn targets are without smoothing.
func TokenCrossEntropy(s TokenSettings) Loss {
	of := func(s apoops.TokenSettings) func(*gorgonia.Node, gorgonia.Nodes) (*gorgonia.Node, error) {
		return oneTarget(func(y, t *gorgonia.Node) (*gorgonia.Node, error) { return apoops.TokenCrossEntropy(y, t, s) })
	}
	return Loss{
		Name:       "token-cross-entropy",
		Build:      of(apoops.TokenSettings{Padding: s.Padding, Smoothing: s.Smoothing}),
		Divergence: TokenKL(s),
		Sample:     TokenTargets(s),
		Likelihood: of(apoops.TokenSettings{Padding: s.Padding}),
		Counts:     s.counts,
		Count: func(b Batch) (n int) {
			for _, t := range b.T {
				n += s.count(t)
			}
			return n
		},
	}
}

func (s TokenSettings) counts(token int) bool { return s.Padding < 0 || token != s.Padding }

// count is the number of tokens that count in an array of them.
func (s TokenSettings) count(tokens *tensor.Dense) (n int) {
	if tokens == nil || tokens.Dtype() != tensor.Int {
		return 0
	}
	for _, t := range tokens.Ints() {
		if s.counts(t) {
			n++
		}
	}
	return n
}

// TokenKL is KL(p_θ ‖ p_θ') of the outputs at the positions that count, their mean.
func TokenKL(s TokenSettings) Divergence { return s.divergence("token-kl", apoops.TokenKL) }

// TokenReverseKL is KL(p_θ' ‖ p_θ) of the outputs at the positions that count, their
// mean.
func TokenReverseKL(s TokenSettings) Divergence {
	return s.divergence("token-reverse-kl", apoops.TokenReverseKL)
}

func (s TokenSettings) divergence(name string, of func(old, new, tokens *gorgonia.Node, padding int) (*gorgonia.Node, error)) Divergence {
	return Divergence{
		Name: name,
		Build: func(old, moved *gorgonia.Node, x gorgonia.Nodes) (*gorgonia.Node, error) {
			tokens, err := s.tokens(x)
			if err != nil {
				return nil, err
			}
			return of(old, moved, tokens, s.Padding)
		},
		Probe: func(y *gorgonia.Node, x gorgonia.Nodes, noise *apoops.Random) (*gorgonia.Node, error) {
			tokens, err := s.tokens(x)
			if err != nil {
				return nil, err
			}
			return apoops.ProbeTokens(y, tokens, s.Padding, noise)
		},
		Count: func(x []*tensor.Dense) int {
			if s.Tokens < 0 || s.Tokens >= len(x) {
				return 0
			}
			return s.count(x[len(x)-1-s.Tokens])
		},
	}
}

// TokenTargets are tokens with the probabilities softmax(y) where a position counts, but
// never the padding, and the padding elsewhere.
func TokenTargets(s TokenSettings) Sampler {
	return func(y *gorgonia.Node, x gorgonia.Nodes, noise *apoops.Random) (gorgonia.Nodes, error) {
		tokens, err := s.tokens(x)
		if err != nil {
			return nil, err
		}
		t, err := apoops.SampleTokens(y, tokens, s.Padding, noise)
		return gorgonia.Nodes{t}, err
	}
}

// tokens are those of the inputs that say which positions count.
func (s TokenSettings) tokens(x gorgonia.Nodes) (*gorgonia.Node, error) {
	if s.Tokens < 0 || s.Tokens >= len(x) {
		return nil, ErrShape.Errorf("graph: the tokens are input %d from the last; there are %d inputs", s.Tokens, len(x))
	}
	return x[len(x)-1-s.Tokens], nil
}
