package conv

// pair is a position of the image and one of the result that an element of the kernel
// joins.
type pair struct{ in, out, element int }

// pairs are all pairs of positions within the image and the result.
func (p *patches) pairs() (all []pair) {
	for t := range p.kernel() {
		_, top, left := p.split(t)
		for q := range p.Positions {
			i, j := q/p.ow*p.Stride[0]+top, q%p.ow*p.Stride[1]+left
			if i >= 0 && i < p.h && j >= 0 && j < p.w {
				all = append(all, pair{i*p.w + j, q, t})
			}
		}
	}
	return all
}

// countPairs is the number of pairs.
func (p *patches) countPairs() (n int) {
	for t := range p.kernel() {
		_, top, left := p.split(t)
		iLo, iHi := p.inside(0, top, p.h, p.oh)
		jLo, jHi := p.inside(1, left, p.w, p.ow)
		n += (iHi - iLo) * (jHi - jLo)
	}
	return n
}

// places are pairs by the place that their products add up in, and the places of none.
type places struct {
	of   [][]pair
	none []int
}

func newPlaces(pairs []pair, count int, place func(pair) int) places {
	b := places{of: make([][]pair, count)}
	for _, p := range pairs {
		b.of[place(p)] = append(b.of[place(p)], p)
	}
	for i, of := range b.of {
		if len(of) == 0 {
			b.none = append(b.none, i)
		}
	}
	return b
}

// each calls product for all pairs, with β = 0 for the first of a place and 1 for the
// others.
func (b *places) each(product func(p pair, beta int)) {
	for _, of := range b.of {
		for i, p := range of {
			product(p, min(i, 1))
		}
	}
}
