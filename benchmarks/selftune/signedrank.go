package selftune

import (
	"cmp"
	"math"
	"slices"
)

// SignedRank is the Wilcoxon signed-rank test of paired differences. Differences of 0 are
// left out, as Wilcoxon did, and n are the others; equal ones share the mean of their ranks.
// positive and negative are the sums of ranks. p is the two-sided probability of sums at
// least as unequal if every sign were a toss of a coin, exact for any n; 1 for n = 0.
func SignedRank(d []float64) (positive, negative, p float64, n int) {
	var sizes []float64
	var up []bool
	for _, x := range d {
		if x != 0 {
			sizes, up = append(sizes, math.Abs(x)), append(up, x > 0)
		}
	}
	n = len(sizes)
	ranks := doubledRanks(sizes)
	for i, r := range ranks {
		if up[i] {
			positive += float64(r) / 2
		} else {
			negative += float64(r) / 2
		}
	}
	return positive, negative, min(1, 2*atMost(ranks, int(2*min(positive, negative)))), n
}

// doubledRanks are twice the mid-ranks of x, which are whole numbers.
func doubledRanks(x []float64) []int {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	ranks := make([]int, len(x))
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && x[order[hi]] == x[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			ranks[i] = lo + 1 + hi // the mean of lo+1, …, hi, twice
		}
		lo = hi
	}
	return ranks
}

// atMost is the probability that the ranks whose coins fall on one side sum up to at most
// limit.
func atMost(ranks []int, limit int) float64 {
	chance := make([]float64, limit+1) // by the sum of the ranks so far
	chance[0] = 1
	for _, r := range ranks {
		for s := limit; s >= 0; s-- {
			chance[s] /= 2
			if s >= r {
				chance[s] += chance[s-r] / 2
			}
		}
	}
	sum := 0.0
	for _, c := range chance {
		sum += c
	}
	return sum
}

// Holm are p-values corrected for their number by Holm's step-down procedure: rejecting
// those below α rejects a true hypothesis with a probability of at most α.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	corrected, largest := make([]float64, len(p)), 0.0
	for i, k := range order {
		largest = max(largest, min(1, p[k]*float64(len(p)-i)))
		corrected[k] = largest
	}
	return corrected
}
