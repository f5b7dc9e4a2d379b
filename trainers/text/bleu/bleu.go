package bleu

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
)

// MaxOrder is the number of words in the longest n-grams.
const MaxOrder = 4

// Counts are the sums over sentences that BLEU is made of. The zero value is no
// sentence.
type Counts struct {
	// Matches and Totals are the n-grams of the hypotheses that are in a reference,
	// and all; element n-1 is for n-grams of n words.
	Matches, Totals [MaxOrder]int
	// Hypothesis and Reference are the numbers of words.
	Hypothesis, Reference int
}

// Smoothing says what precision an order has of which no n-gram matches.
type Smoothing int

const (
	// Unsmoothed gives it 0, so that BLEU is 0.
	Unsmoothed Smoothing = iota
	// Exponential gives the first order without a match half a match, the next a
	// quarter, and so on, as mteval-v13a.pl and sacreBLEU do. Where not even one n-gram
	// is so long, or no word matches at all, BLEU is 0 all the same.
	Exponential
)

// Score is a BLEU score with its parts.
type Score struct {
	// BLEU is from 0 to 100, and so are the precisions of the orders 1 to 4.
	BLEU       float64
	Precisions [MaxOrder]float64
	// BrevityPenalty is from 0 to 1, 1 where the hypotheses are at least as long as the
	// references.
	BrevityPenalty float64
	Counts
}

// Corpus is the BLEU of hypotheses, sentence i of which translates sentence i of each of
// the references. All are in words. It is an error if the numbers of sentences differ or
// there is no reference.
func Corpus(hypotheses [][]string, references ...[][]string) (Score, error) {
	counts, err := Count(hypotheses, references...)
	return counts.Score(Unsmoothed), err
}

// Plain is sacreBLEU's score of plain text with its default settings: Corpus of what
// Tokenize13a makes of each sentence, with Exponential smoothing.
func Plain(hypotheses []string, references ...[]string) (Score, error) {
	words := make([][][]string, len(references))
	for k, reference := range references {
		words[k] = tokenizeAll(reference)
	}
	counts, err := Count(tokenizeAll(hypotheses), words...)
	return counts.Score(Exponential), err
}

func tokenizeAll(lines []string) [][]string {
	words := make([][]string, len(lines))
	for i, line := range lines {
		words[i] = Tokenize13a(line)
	}
	return words
}

// Count are the counts of Corpus, for a score that is smoothed, or summed up further.
func Count(hypotheses [][]string, references ...[][]string) (Counts, error) {
	var c Counts
	if len(references) == 0 {
		return c, errors.New("bleu: no references")
	}
	for k, reference := range references {
		if len(reference) != len(hypotheses) {
			return c, errors.Errorf("bleu: %d hypotheses, but %d sentences in reference %d", len(hypotheses), len(reference), k+1)
		}
	}
	sentence := make([][]string, len(references))
	for i, hypothesis := range hypotheses {
		for k := range references {
			sentence[k] = references[k][i]
		}
		c.Add(hypothesis, sentence...)
	}
	return c, nil
}

// Add counts one more sentence and its references.
func (c *Counts) Add(hypothesis []string, references ...[]string) {
	words := map[string]int32{}
	h := numbered(words, hypothesis)
	nearest := -1
	most := map[ngram]int{}
	for _, reference := range references {
		for g, n := range ngrams(numbered(words, reference)) {
			most[g] = max(most[g], n)
		}
		if nearest < 0 || nearer(len(reference), nearest, len(h)) {
			nearest = len(reference)
		}
	}
	for g, n := range ngrams(h) {
		c.Matches[g.order()-1] += min(n, most[g])
	}
	for i := range c.Totals {
		c.Totals[i] += max(0, len(h)-i)
	}
	c.Hypothesis += len(h)
	c.Reference += max(0, nearest)
}

// nearer tells whether a is nearer than b to length h, or as near and shorter.
func nearer(a, b, h int) bool {
	da, db := max(a-h, h-a), max(b-h, h-b)
	return da < db || da == db && a < b
}

// ngram are one to four words by number, the rest 0.
type ngram [MaxOrder]int32

func (g ngram) order() int {
	for i, word := range g {
		if word == 0 {
			return i
		}
	}
	return MaxOrder
}

// numbered are the numbers of the words, which begin at 1.
func numbered(known map[string]int32, words []string) []int32 {
	numbers := make([]int32, len(words))
	for i, word := range words {
		n := known[word]
		if n == 0 {
			n = int32(len(known) + 1)
			known[word] = n
		}
		numbers[i] = n
	}
	return numbers
}

// ngrams counts all n-grams.
func ngrams(words []int32) map[ngram]int {
	counts := make(map[ngram]int, MaxOrder*len(words))
	for i := range words {
		var g ngram
		for k := 0; k < MaxOrder && i+k < len(words); k++ {
			g[k] = words[i+k]
			counts[g]++
		}
	}
	return counts
}

// Score is the score of what was counted.
func (c Counts) Score(smoothing Smoothing) Score {
	s := Score{Counts: c}
	if c.Hypothesis > 0 {
		s.BrevityPenalty = math.Min(1, math.Exp(1-float64(c.Reference)/float64(c.Hypothesis)))
	}
	logs, half := 0.0, 1.0
	for i := range s.Precisions {
		matches := float64(c.Matches[i])
		if smoothing == Exponential && c.Matches[0] > 0 && c.Matches[i] == 0 {
			half /= 2
			matches = half
		}
		if c.Totals[i] > 0 {
			s.Precisions[i] = 100 * matches / float64(c.Totals[i])
		}
		logs += math.Log(s.Precisions[i]/100) / MaxOrder
	}
	s.BLEU = 100 * s.BrevityPenalty * math.Exp(logs)
	return s
}

// String is the line that multi-bleu.perl prints.
func (s Score) String() string {
	ratio := 0.0
	if s.Reference > 0 {
		ratio = float64(s.Hypothesis) / float64(s.Reference)
	}
	p := s.Precisions
	return fmt.Sprintf("BLEU = %.2f, %.1f/%.1f/%.1f/%.1f (BP=%.3f, ratio=%.3f, hyp_len=%d, ref_len=%d)",
		s.BLEU, p[0], p[1], p[2], p[3], s.BrevityPenalty, ratio, s.Hypothesis, s.Reference)
}
