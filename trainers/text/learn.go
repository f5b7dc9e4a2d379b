package text

import (
	"unicode/utf8"

	"github.com/pkg/errors"
)

// MinFrequency is the least number of times that a pair has to occur to be learned, as
// subword-nmt's default.
const MinFrequency = 2

// Learn learns the merges of a byte-pair encoding from counts of words, the same as
// subword-nmt's learn-bpe finds: again and again the most frequent pair of neighbouring
// symbols becomes one, of equally frequent ones the last in the order of their
// characters. It ends after merges of them, or when no pair occurs MinFrequency times.
//
// subword-nmt keeps the frequencies of rare pairs aside, for speed, and where one of
// these grows it may lose a part of the count. That is done here in the same way: other
// counts would be other codes.
func Learn(words *Counts, merges int) (*Codes, error) {
	if merges < 0 {
		return nil, errors.Errorf("text: %d merges to learn, want at least 0", merges)
	}
	l := newLearner(words)
	codes := &Codes{}
	threshold := float64(l.pairs.most()) / 10
	for i := range merges {
		best := l.pairs.best()
		if best < 0 || i > 0 && float64(l.pairs.count[best]) < threshold {
			l.pairs.prune(threshold)
			l.pairs.restore()
			if best = l.pairs.best(); best < 0 {
				break
			}
			threshold = float64(l.pairs.count[best]*i) / (float64(i) + 10000)
			l.pairs.prune(threshold)
		}
		if l.pairs.count[best] < MinFrequency {
			break
		}
		left, right := l.pairs.symbols(best)
		codes.Merges = append(codes.Merges, Merge{left, right})
		l.merge(best)
		if i%100 == 0 {
			l.pairs.prune(threshold)
		}
	}
	return codes, nil
}

// learner has the words as they are after the merges so far.
type learner struct {
	words [][]int32 // their symbols
	freq  []int
	pairs *pairs
	// in says, of each pair, how often it is in which words.
	in []map[int32]int
}

func newLearner(words *Counts) *learner {
	l := &learner{pairs: newPairs()}
	for _, each := range words.Sorted() {
		if each.Token == "" {
			continue
		}
		var symbols []int32
		for i := 0; i < len(each.Token); {
			_, size := utf8.DecodeRuneInString(each.Token[i:])
			symbol := each.Token[i : i+size]
			if i += size; i == len(each.Token) {
				symbol += wordEnd
			}
			symbols = append(symbols, l.pairs.number(symbol))
		}
		l.words = append(l.words, symbols)
		l.freq = append(l.freq, each.N)
	}
	for j, word := range l.words {
		for i := range word[1:] {
			l.add(word[i], word[i+1], j, 1)
		}
	}
	copy(l.pairs.full, l.pairs.count)
	return l
}

// add counts a pair in word j times more.
func (l *learner) add(left, right int32, j, times int) {
	p := l.pairs.of(left, right)
	l.pairs.add(p, times*l.freq[j])
	for len(l.in) <= int(p) {
		l.in = append(l.in, nil)
	}
	if l.in[p] == nil {
		l.in[p] = map[int32]int{}
	}
	l.in[p][int32(j)] += times
}

// merge makes pair p one symbol in all words and counts their pairs anew.
func (l *learner) merge(p int32) {
	key := l.pairs.keys[p]
	left, right := int32(key>>32), int32(uint32(key))
	a, b := l.pairs.symbols(p)
	joined := l.pairs.number(a + b)
	words := l.in[p]
	l.in[p] = nil
	for j, times := range words {
		if times < 1 {
			continue
		}
		old := l.words[j]
		l.words[j] = join(old, left, right, joined)
		l.remove(old, left, right, int(j))
		l.insert(l.words[j], joined, int(j))
	}
	l.pairs.set(p, 0)
}

// join is a word with left and right made one, from the left.
func join(word []int32, left, right, joined int32) []int32 {
	out := make([]int32, 0, len(word)-1)
	for i := 0; i < len(word); i++ {
		if word[i] == left && i+1 < len(word) && word[i+1] == right {
			out = append(out, joined)
			i++
			continue
		}
		out = append(out, word[i])
	}
	return out
}

// remove takes away the pairs beside those that became one.
func (l *learner) remove(old []int32, left, right int32, j int) {
	for i := 0; i+1 < len(old); i++ {
		if old[i] != left || old[i+1] != right {
			continue
		}
		if i > 0 {
			l.add(old[i-1], old[i], j, -1)
		}
		// The pair behind is the one before of a merge that follows at once.
		if i+2 < len(old) && (old[i+2] != left || i+3 >= len(old) || old[i+3] != right) {
			l.add(old[i+1], old[i+2], j, -1)
		}
		i++
	}
}

// insert counts the pairs of the new symbol.
func (l *learner) insert(word []int32, joined int32, j int) {
	for i, symbol := range word {
		if symbol != joined {
			continue
		}
		if i > 0 {
			l.add(word[i-1], joined, j, 1)
		}
		if i+1 < len(word) && word[i+1] != joined {
			l.add(joined, word[i+1], j, 1)
		}
	}
}
