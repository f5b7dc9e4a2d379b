package batch

import (
	"slices"

	"github.com/pkg/errors"
)

// sort puts the sentences into buckets, one for each padded length.
func (s *Sentences) sort() error {
	count := make([]int, s.c.MaxLength+1)
	longest := 0
	for i := range s.target {
		n := s.length(i)
		count[n]++
		longest = max(longest, n)
	}
	if s.lengths = s.c.Lengths; s.lengths == nil {
		s.lengths = leastPadding(count[:longest+1], s.c.Buckets)
	}
	for i, n := range s.lengths {
		if n < 2 || n > s.c.Tokens || (i > 0 && n <= s.lengths[i-1]) {
			return errors.Errorf("trainers: padded lengths %v: they must ascend, from 2 to at most Tokens (%d)", s.lengths, s.c.Tokens)
		}
	}
	if len(s.lengths) == 0 || longest > s.lengths[len(s.lengths)-1] {
		return errors.Errorf("trainers: a sentence has %d tokens with its end, more than the padded lengths %v", longest, s.lengths)
	}
	s.bucket = make([][]int, len(s.lengths))
	for i := range s.target {
		b := s.bucketOf(i)
		s.bucket[b] = append(s.bucket[b], i)
	}
	return nil
}

// bucketOf is the number of the shortest padded length that sentence i fits into.
func (s *Sentences) bucketOf(i int) int {
	b, _ := slices.BinarySearch(s.lengths, s.length(i))
	return b
}

// leastPadding are at most n lengths to which sentences, of which there are count[l] of
// length l, are padded with the fewest tokens of padding, ascending; the longest is among
// them. With w(j, l) the tokens of the sentences above j up to l, padded to l, the fewest in
// k buckets are c_k(l) = min_j c_{k-1}(j) + w(j, l).
func leastPadding(count []int, n int) []int {
	var lengths, upTo []int // that occur, and the number of sentences up to each
	total := 0
	for l, c := range count {
		if c > 0 {
			total += c
			lengths, upTo = append(lengths, l), append(upTo, total)
		}
	}
	m := len(lengths)
	n = min(n, m)
	cost := make([]int, m)
	for i, l := range lengths {
		cost[i] = upTo[i] * l
	}
	from := make([][]int, n) // where the bucket before ends
	for k := 1; k < n; k++ {
		next := make([]int, m)
		from[k] = make([]int, m)
		for i, l := range lengths {
			next[i], from[k][i] = cost[i], -1 // fewer buckets
			for j := k - 1; j < i; j++ {
				if c := cost[j] + (upTo[i]-upTo[j])*l; c < next[i] {
					next[i], from[k][i] = c, j
				}
			}
		}
		cost = next
	}
	best := []int{lengths[m-1]}
	for k, i := n-1, m-1; k > 0; k-- {
		if j := from[k][i]; j >= 0 {
			i = j
			best = append(best, lengths[i])
		}
	}
	slices.Reverse(best)
	return best
}
