package conv

import (
	"sync"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// winoLane is what one goroutine needs for its groups of strips.
type winoLane struct {
	room             winoRoom
	zero             winoVec
	g                winoGrid
	in, out          int
	frame            []float32 // a strip of the source with zeros around it
	plane, edges     []float32 // one of source or result, without and in whole tiles
	channels         []float32 // one of dz, channel by channel
	v, m             []float32 // 36 matrices of a row for each tile
	strideV, strideM int
}

var lanePool = sync.Pool{New: func() any { return new(winoLane) }}

// lane takes memory for groups of so many strips.
func (g winoGrid) lane(in, out, strips int) *winoLane {
	rows := wholeRows(strips * g.tw)
	l := lanePool.Get().(*winoLane)
	l.g, l.in, l.out = g, in, out
	l.strideV, l.strideM = rows*in+cachePadding, rows*out+cachePadding
	_, w := g.frame(2)
	l.frame = scratch.Get[float32](winoIn * w * dnn.Block)
	clear(l.frame)
	l.plane = scratch.Get[float32](2 * winoIn * max(g.w, w) * dnn.Block) // dz is computed beside y
	l.channels = scratch.Get[float32](winoIn * max(g.w, w) * dnn.Block)
	l.edges = scratch.Get[float32](winoOut * w * dnn.Block)
	clear(l.edges)
	l.v, l.m = scratch.Get[float32](winoSize*l.strideV), scratch.Get[float32](winoSize*l.strideM)
	return l
}

func wholeRows(tiles int) int { return (tiles + winoRows - 1) / winoRows * winoRows }

func (l *winoLane) free() {
	for _, s := range [][]float32{l.m, l.v, l.edges, l.channels, l.plane, l.frame} {
		scratch.Put(s)
	}
	l.frame, l.plane, l.channels, l.edges, l.v, l.m = nil, nil, nil, nil, nil, nil
	lanePool.Put(l)
}

// sources transforms strips of the source, from number first on.
func (l *winoLane) sources(x *winoImages, first, count int) {
	g := &l.g
	_, w := g.frame(2)
	for n := range count {
		image, i := (first+n)/g.th, (first+n)%g.th
		for c := 0; c < l.in; c += dnn.Block {
			l.fill(x, image*l.in+c, i*winoOut-g.padH)
			for j := range g.tw {
				l.room.input(l.v[(n*g.tw+j)*l.in+c:], l.strideV, l.frame[j*winoOut*dnn.Block:], w)
			}
		}
	}
}

// fill copies the rows from top on, some of which may lie outside, of plane number at.
func (l *winoLane) fill(x *winoImages, at, top int) {
	g := &l.g
	_, w := g.frame(2)
	row, left := w*dnn.Block, g.padW*dnn.Block
	n := min(g.w*dnn.Block, row-left)
	lo, hi := min(max(top, 0), g.h), min(max(top+winoIn, 0), g.h)
	inPlace := x.bits != nil && x.blocked && x.act == vmath.Identity
	var rows []float32
	if !inPlace {
		rows = l.rows(x, at, g.h, g.w, lo, hi)
	}
	for i := range winoIn {
		to := l.frame[i*row+left:][:n]
		switch r := top + i; {
		case r < lo || r >= hi:
			clear(to)
		case inPlace:
			half.Expand(half.BFloat16, to, x.bits[(at*g.h+r*dnn.Block)*g.w:][:n])
		default:
			copy(to, rows[(r-lo)*g.w*dnn.Block:])
		}
	}
}

// inStrip are the rows of the result of strip i.
func (l *winoLane) inStrip(i int) (lo, n int) {
	lo = i * winoOut
	return lo, min(winoOut, l.g.oh-lo)
}

// result transforms strip number strip back, whose transforms begin with m.
func (l *winoLane) result(to *winoImages, strip int, m, biases []float32, act vmath.Activation) {
	g := &l.g
	image, i := strip/g.th, strip%g.th
	lo, n := l.inStrip(i)
	for c := 0; c < l.out; c += dnn.Block {
		bias := &l.zero
		if biases != nil {
			bias = (*winoVec)(biases[c:])
		}
		at := image*l.out + c
		w := g.tw * winoOut
		y := to.direct(at, g.oh, g.ow, lo, n)
		if n != winoOut || g.ow != w || y == nil {
			y = l.plane
		}
		for j := range g.tw {
			l.room.result(m[j*l.out+c:], l.strideM, y[j*winoOut*dnn.Block:], w, bias)
		}
		if act != vmath.Identity {
			vmath.Forward(act, y[:n*w*dnn.Block])
		}
		if &y[0] == &l.plane[0] {
			l.write(to, at, g.oh, g.ow, lo, n)
		}
	}
}

// spread transforms strips of dz, and adds its sums up unless sums is nil.
func (l *winoLane) spread(y *winoImages, first, count int, sums []float64) {
	g := &l.g
	w := g.tw * winoOut
	for n := range count {
		image, i := (first+n)/g.th, (first+n)%g.th
		lo, rows := l.inStrip(i)
		for c := 0; c < l.out; c += dnn.Block {
			dz := l.rows(y, image*l.out+c, g.oh, g.ow, lo, lo+rows)
			if sums != nil {
				addChannels(sums[c:], dz)
			}
			if rows != winoOut || g.ow != w {
				dz = l.wholeTiles(dz, rows)
			}
			for j := range g.tw {
				l.room.spread(l.m[(n*g.tw+j)*l.out+c:], l.strideM, dz[j*winoOut*dnn.Block:], w)
			}
		}
	}
}

// wholeTiles copies rows of dz to where zeros fill the tiles.
func (l *winoLane) wholeTiles(dz []float32, rows int) []float32 {
	row := l.g.ow * dnn.Block
	for i := range winoOut {
		to := l.edges[i*l.g.tw*winoOut*dnn.Block:][:row]
		if i < rows {
			copy(to, dz[i*row:])
		} else {
			clear(to)
		}
	}
	return l.edges
}

// addChannels adds the elements of each channel of a block.
func addChannels(sums []float64, y []float32) {
	var s winoVec
	for ; len(y) >= dnn.Block; y = y[dnn.Block:] {
		for l, v := range (*winoVec)(y) {
			s[l] += v
		}
	}
	for l, v := range s {
		sums[l] += float64(v)
	}
}
