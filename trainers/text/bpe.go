package text

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// BPE divides words into the symbols of a byte-pair encoding, as subword-nmt's apply-bpe
// does (Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword
// Units, ACL 2016). A word begins as its characters; as long as two neighbours are a
// merge of the codes, the merge that was learned first is made, everywhere in the word.
// Parts that are not the last of a word end with "@@". It may be used from several
// goroutines.
type BPE struct {
	symbols map[string]int32  // numbers of the symbols
	rank    map[uint64]int32  // of a pair of numbers: its place in the codes
	merged  []int32           // the number of what the merge of a rank makes
	parts   map[string]Merge  // of a symbol: the merge that makes it, for within
	within  func(string) bool // whether a part is in the vocabulary, nil for all

	mu    sync.RWMutex
	cache map[string][]string // of the words seen
}

// maxCached bounds the cache.
const maxCached = 1 << 20

// NewBPE applies codes. Of a merge that occurs twice, the first counts.
func NewBPE(codes *Codes) *BPE {
	b := &BPE{
		symbols: map[string]int32{}, rank: make(map[uint64]int32, len(codes.Merges)), merged: make([]int32, len(codes.Merges)),
		parts: make(map[string]Merge, len(codes.Merges)), cache: map[string][]string{},
	}
	for i, m := range codes.Merges {
		key := pairOf(b.number(m.Left), b.number(m.Right))
		b.merged[i] = b.number(m.Left + m.Right)
		if _, twice := b.rank[key]; !twice {
			b.rank[key] = int32(i)
		}
	}
	// Where several merges make the same symbol, subword-nmt undoes the first of them;
	// a merge that occurs twice stands where it occurs last.
	seen := make(map[Merge]bool, len(codes.Merges))
	for i := len(codes.Merges) - 1; i >= 0; i-- {
		if m := codes.Merges[i]; !seen[m] {
			seen[m] = true
			b.parts[m.Left+m.Right] = m
		}
	}
	return b
}

// Within is b held to a vocabulary of subwords (their counts after BPE, with "@@"), as
// apply-bpe does with the options vocabulary and vocabulary-threshold: a part that occurs fewer
// than threshold times is divided again, by undoing its merges, until all parts are in
// the vocabulary or are characters. An empty vocabulary is none.
func (b *BPE) Within(vocabulary *Counts, threshold int) *BPE {
	limited := &BPE{symbols: b.symbols, rank: b.rank, merged: b.merged, parts: b.parts, cache: map[string][]string{}}
	frequent := map[string]bool{}
	for _, each := range vocabulary.Sorted() {
		if each.N >= threshold {
			frequent[each.Token] = true
		}
	}
	if len(frequent) > 0 {
		limited.within = func(part string) bool { return frequent[part] }
	}
	return limited
}

// number is that of a symbol, a new one if it has none.
func (b *BPE) number(symbol string) int32 {
	n, known := b.symbols[symbol]
	if !known {
		n = int32(len(b.symbols))
		b.symbols[symbol] = n
	}
	return n
}

func pairOf(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// Line divides the words of a line, which stand between spaces. Spaces at its ends stay,
// several between words become one.
func (b *BPE) Line(line string) string {
	words := strings.Trim(line, blank)
	if words == "" {
		return line
	}
	begin := strings.Index(line, words)
	var out strings.Builder
	out.Grow(len(line) + len(line)/2)
	out.WriteString(line[:begin])
	first := true
	for _, word := range Tokens(words) {
		for _, part := range b.word(word) {
			if !first {
				out.WriteByte(' ')
			}
			out.WriteString(part)
			first = false
		}
	}
	out.WriteString(line[begin+len(words):])
	return out.String()
}

// Apply divides words.
func (b *BPE) Apply(words []string) []string {
	parts := make([]string, 0, len(words)+len(words)/2)
	for _, word := range words {
		parts = append(parts, b.word(word)...)
	}
	return parts
}

// UndoBPE puts the parts of the words of a line together again.
func UndoBPE(line string) string {
	return strings.TrimSuffix(strings.ReplaceAll(line, Separator+" ", ""), Separator)
}

// word are the parts of a word, which callers must not change.
func (b *BPE) word(word string) []string {
	b.mu.RLock()
	parts, known := b.cache[word]
	b.mu.RUnlock()
	if known {
		return parts
	}
	parts = b.divide(word)
	for i := range parts[:max(0, len(parts)-1)] {
		parts[i] += Separator
	}
	b.mu.Lock()
	if len(b.cache) < maxCached {
		b.cache[word] = parts
	}
	b.mu.Unlock()
	return parts
}

// piece is a symbol in a word: its bytes, and its number, -1 if it has none.
type piece struct {
	begin, end int
	number     int32
}

// divide are the parts of a word without "@@".
func (b *BPE) divide(word string) []string {
	pieces := b.characters(word)
	if len(pieces) < 2 {
		return []string{word}
	}
	for len(pieces) > 1 {
		best := int32(-1)
		for i := range pieces[1:] {
			if rank, found := b.rankOf(pieces[i], pieces[i+1]); found && (best < 0 || rank < best) {
				best = rank
			}
		}
		if best < 0 {
			break
		}
		pieces = b.merge(pieces, best)
	}
	parts := make([]string, len(pieces))
	for i, p := range pieces {
		parts[i] = word[p.begin:p.end]
	}
	if b.within == nil {
		return parts
	}
	var known []string
	for i, part := range parts {
		known = b.known(known, part, i == len(parts)-1)
	}
	return known
}

// characters are the symbols that a word begins as.
func (b *BPE) characters(word string) []piece {
	pieces := make([]piece, 0, len(word))
	for i := 0; i < len(word); {
		_, size := utf8.DecodeRuneInString(word[i:])
		symbol := word[i : i+size]
		if i+size == len(word) {
			symbol += wordEnd
		}
		number, known := b.symbols[symbol]
		if !known {
			number = -1
		}
		pieces = append(pieces, piece{i, i + size, number})
		i += size
	}
	return pieces
}

func (b *BPE) rankOf(left, right piece) (rank int32, found bool) {
	if left.number < 0 || right.number < 0 {
		return 0, false
	}
	rank, found = b.rank[pairOf(left.number, right.number)]
	return rank, found
}

// merge makes one of each pair that has the rank, from the left, in place.
func (b *BPE) merge(pieces []piece, rank int32) []piece {
	n := 0
	for i := 0; i < len(pieces); i++ {
		p := pieces[i]
		if i+1 < len(pieces) {
			if r, found := b.rankOf(p, pieces[i+1]); found && r == rank {
				p = piece{p.begin, pieces[i+1].end, b.merged[rank]}
				i++
			}
		}
		pieces[n] = p
		n++
	}
	return pieces[:n]
}

// known appends part, divided until all is in the vocabulary.
func (b *BPE) known(parts []string, part string, last bool) []string {
	written, symbol := part+Separator, part
	if last {
		written, symbol = part, part+wordEnd
	}
	if b.within(written) {
		return append(parts, part)
	}
	m, divisible := b.parts[symbol]
	if !divisible {
		return append(parts, part)
	}
	parts = b.known(parts, m.Left, false)
	return b.known(parts, strings.TrimSuffix(m.Right, wordEnd), last)
}
