package search

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
)

// candidate is a hypothesis continued by a token.
type candidate struct {
	rank  int // of the hypothesis
	token int
	sum   float64 // of the log probabilities
}

// best keeps the best candidates, in order, of all that are offered. It does not sort
// what it is offered: nearly all of that is below the last.
type best struct {
	kept []candidate
	most int
}

// least is what a candidate must exceed. Candidates come in the order that decides
// between equal ones.
func (b *best) least() float64 {
	if len(b.kept) < b.most {
		return math.Inf(-1)
	}
	return b.kept[len(b.kept)-1].sum
}

func (b *best) offer(c candidate) {
	if len(b.kept) < b.most {
		b.kept = append(b.kept, c)
	}
	i := len(b.kept) - 1
	for ; i > 0 && b.kept[i-1].sum < c.sum; i-- {
		b.kept[i] = b.kept[i-1]
	}
	b.kept[i] = c
}

// offerRow offers the continuations of a hypothesis by all tokens from the first to
// before the last, given the logits and what to add to them for the sum of the log
// probabilities.
func offerRow[T apoops.Float](b *best, logits []T, from, to, rank int, add float64) {
	// No number of type T lies between the bound and what it is rounded to.
	bound := T(b.least() - add)
	for i, v := range logits[from:to] {
		if v < bound {
			continue
		}
		if sum := add + float64(v); sum > b.least() {
			b.offer(candidate{rank, from + i, sum})
			bound = T(b.least() - add)
		}
	}
}
