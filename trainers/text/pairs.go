package text

// pairs are the frequencies of pairs of symbols while merges are learned. Those of the
// frequent ones are current in count; the others are pruned, which keeps the search for
// the most frequent short, and full has what they were.
type pairs struct {
	names   []string // of the symbols
	numbers map[string]int32

	at     map[uint64]int32 // of two symbols: their pair
	keys   []uint64
	count  []int
	full   []int
	place  []int32 // in active, -1 for a pruned pair
	active []int32
}

func newPairs() *pairs {
	return &pairs{numbers: map[string]int32{}, at: map[uint64]int32{}}
}

// number is that of a symbol.
func (p *pairs) number(symbol string) int32 {
	n, known := p.numbers[symbol]
	if !known {
		n = int32(len(p.names))
		p.numbers[symbol] = n
		p.names = append(p.names, symbol)
	}
	return n
}

// of is the pair of two symbols.
func (p *pairs) of(left, right int32) int32 {
	key := pairOf(left, right)
	i, known := p.at[key]
	if !known {
		i = int32(len(p.keys))
		p.at[key] = i
		p.keys = append(p.keys, key)
		p.count, p.full, p.place = append(p.count, 0), append(p.full, 0), append(p.place, -1)
	}
	return i
}

// symbols are the two of pair i.
func (p *pairs) symbols(i int32) (left, right string) {
	return p.names[p.keys[i]>>32], p.names[uint32(p.keys[i])]
}

// add counts pair i n times more. A pruned pair begins at 0 again.
func (p *pairs) add(i int32, n int) { p.set(i, p.count[i]+n) }

func (p *pairs) set(i int32, n int) {
	p.count[i] = n
	if p.place[i] < 0 {
		p.place[i] = int32(len(p.active))
		p.active = append(p.active, i)
	}
}

// best is the most frequent pair that is not pruned, -1 without any. Of equals it is
// the last in the order of the symbols' bytes, which is that of their characters.
func (p *pairs) best() int32 {
	best := int32(-1)
	for _, i := range p.active {
		if best < 0 || p.count[i] > p.count[best] || p.count[i] == p.count[best] && p.after(i, best) {
			best = i
		}
	}
	return best
}

func (p *pairs) after(i, j int32) bool {
	a, b := p.symbols(i)
	c, d := p.symbols(j)
	return a > c || a == c && b > d
}

// most is the frequency of the most frequent pair.
func (p *pairs) most() int {
	if best := p.best(); best >= 0 {
		return p.count[best]
	}
	return 0
}

// prune lays pairs that are rarer than threshold aside. What a pruned pair has lost
// since is subtracted; what it has gained takes the place of what it was.
func (p *pairs) prune(threshold float64) {
	kept := p.active[:0]
	for _, i := range p.active {
		n := p.count[i]
		if float64(n) >= threshold {
			p.place[i] = int32(len(kept))
			kept = append(kept, i)
			continue
		}
		if n < 0 {
			p.full[i] += n
		} else {
			p.full[i] = n
		}
		p.count[i], p.place[i] = 0, -1
	}
	p.active = kept
}

// restore takes all pairs up again.
func (p *pairs) restore() {
	p.active = p.active[:0]
	for i := range p.keys {
		p.count[i], p.place[i] = p.full[i], int32(len(p.active))
		p.active = append(p.active, int32(i))
	}
}
