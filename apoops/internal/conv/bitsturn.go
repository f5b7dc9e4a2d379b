package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// bitsTurn copies images of bfloat16, in blocks of channels or not, to the order
// H×W×N×C, with the positions in an order of its own.
type bitsTurn struct {
	place   []int // of each position in the copy
	n, c    int
	blocked bool
	body    func(lo, hi int)

	dst, src []uint16
}

func newBitsTurn(place []int, n, c int, blocked bool) *bitsTurn {
	t := &bitsTurn{place: place, n: n, c: c, blocked: blocked}
	t.body = t.images
	return t
}

// turn copies src to dst, which it keeps.
func (t *bitsTurn) turn(dst, src []uint16) {
	t.dst, t.src = dst, src
	par.For(t.n, par.RowGrain(t.c*len(t.place)), t.body)
	t.src = nil
}

// images copies the images [lo, hi).
func (t *bitsTurn) images(lo, hi int) {
	const b = dnn.Block
	positions, stride := len(t.place), t.n*t.c
	for n := lo; n < hi; n++ {
		from, to := t.src[n*t.c*positions:][:t.c*positions], t.dst[n*t.c:]
		if !t.blocked {
			for c := range t.c {
				for p, place := range t.place {
					to[place*stride+c] = from[c*positions+p]
				}
			}
			continue
		}
		for c := 0; c < t.c; c += b {
			for p, place := range t.place {
				*(*[b]uint16)(to[place*stride+c:]) = [b]uint16(from[c*positions+p*b:])
			}
		}
	}
}
