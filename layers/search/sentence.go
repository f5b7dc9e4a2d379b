package search

import (
	"cmp"
	"math"
	"slices"

	"github.com/apo-gorgonia/apo/apoops"
)

// hypothesis is a target that has not ended.
type hypothesis struct {
	slot   int // its row among those of the sentence
	tokens []int
	sum    float64 // of the log probabilities
}

// sentence is the search of one.
type sentence struct {
	index      int // among the sources
	most       int // the largest length of the target
	length     int // of the source, with End
	at         int // the length of the live hypotheses
	live, next []hypothesis
	found      []Hypothesis
	candidates best
	notNumbers bool
	copies     [][2]int // slots: from, to
}

func newSentence(index, length, most, width int) *sentence {
	return &sentence{
		index: index, most: most, length: length,
		live:       []hypothesis{{}},
		candidates: best{most: 2 * width, kept: make([]candidate, 0, 2*width)},
	}
}

// done reports that the search is over.
func (s *sentence) done() bool { return len(s.live) == 0 }

// advance continues the hypotheses by a token, given the logits of each slot and the
// logarithm of the sum of their exponentials. copies are then the slots whose keys and
// values go to others.
func advance[T apoops.Float](s *sentence, c *Config, padding int, slot func(int) ([]T, T)) {
	b := &s.candidates
	b.kept = b.kept[:0]
	for rank, h := range s.live {
		logits, total := slot(h.slot)
		add := h.sum - float64(total)
		if math.IsNaN(add) || math.IsInf(add, 0) {
			s.notNumbers = true
			return
		}
		from := 0
		for _, token := range c.special(padding) {
			if s.at < s.most {
				offerRow(b, logits, from, token, rank, add)
			}
			if token == c.End && s.at > 0 {
				offerRow(b, logits, token, token+1, rank, add)
			}
			from = token + 1
		}
		if s.at < s.most {
			offerRow(b, logits, from, len(logits), rank, add)
		}
	}
	s.choose(c)
	s.at++
}

// special are the tokens that do not go on a target, the smallest first.
func (c *Config) special(padding int) [3]int {
	all := [3]int{c.Begin, c.End, padding}
	slices.Sort(all[:])
	return all
}

// choose takes what is found out of the candidates, and the hypotheses that go on.
func (s *sentence) choose(c *Config) {
	s.next = s.next[:0]
	parents := make([]int, 0, c.Width)
	for i, k := range s.candidates.kept {
		switch {
		case k.token != c.End && len(s.next) < c.Width:
			s.next = append(s.next, s.spare(len(s.next)))
			h := &s.next[len(s.next)-1]
			h.tokens = append(append(h.tokens[:0], s.live[k.rank].tokens...), k.token)
			h.sum = k.sum
			parents = append(parents, k.rank)
		case k.token == c.End && i < c.Width && len(s.found) < c.Width:
			s.found = append(s.found, Hypothesis{
				Tokens:         slices.Clone(s.live[k.rank].tokens),
				LogProbability: k.sum,
				Score:          k.sum / math.Pow(float64(s.at+1), *c.LengthPenalty),
			})
		}
	}
	s.place(parents, c.Width)
	s.live, s.next = s.next, s.live
	if len(s.found) == c.Width {
		s.live = s.live[:0]
	}
	if s.done() {
		slices.SortStableFunc(s.found, func(a, b Hypothesis) int { return cmp.Compare(b.Score, a.Score) })
	}
}

// spare is a hypothesis with the memory of an earlier one.
func (s *sentence) spare(i int) hypothesis {
	if i < cap(s.next) {
		return s.next[: i+1 : cap(s.next)][i]
	}
	return hypothesis{}
}

// place gives each hypothesis a slot: the first that goes on another stays in that one's,
// the others get slots that are free and copies of keys and values.
func (s *sentence) place(parents []int, width int) {
	s.copies = s.copies[:0]
	taken := make([]bool, width)
	stays := make([]bool, len(parents))
	for i, rank := range parents {
		if slot := s.live[rank].slot; !taken[slot] {
			taken[slot], stays[i] = true, true
			s.next[i].slot = slot
		}
	}
	for i, rank := range parents {
		if !stays[i] {
			free := slices.Index(taken, false)
			taken[free] = true
			s.next[i].slot = free
			s.copies = append(s.copies, [2]int{s.live[rank].slot, free})
		}
	}
}
