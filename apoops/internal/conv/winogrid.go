package conv

// winoGrid is how the planes of a result are cut into tiles of 4×4, and the planes
// of the source that they are computed from into ones of 6×6.
type winoGrid struct {
	h, w       int // of a plane of the source
	padH, padW int
	oh, ow     int // of a plane of the result
	th, tw     int // tiles of a plane
}

func newWinoGrid(h, w, padH, padW, oh, ow int) winoGrid {
	return winoGrid{h, w, padH, padW, oh, ow, (oh + winoOut - 1) / winoOut, (ow + winoOut - 1) / winoOut}
}

// tiles is the number of tiles of a plane.
func (g *winoGrid) tiles() int { return g.th * g.tw }

// A frame is a plane with the zeros around it that whole tiles take: that of the
// source has two rows and columns more than that of the result.
func (g *winoGrid) frame(extra int) (h, w int) { return g.th*winoOut + extra, g.tw*winoOut + extra }

// frames is the length of n frames and of a tile behind them, for the lanes that
// fill the last block.
func (g *winoGrid) frames(n, extra int) int {
	h, w := g.frame(extra)
	return (n*h + winoIn) * w
}

// starts are the elements at which the tiles of n frames begin, in blocks.
func (g *winoGrid) starts(n, extra int) [][winoLanes]int32 {
	h, w := g.frame(extra)
	at := make([][winoLanes]int32, (n*g.tiles()+winoLanes-1)/winoLanes)
	for t := range len(at) * winoLanes {
		k, i, j := t/g.tiles(), t%g.tiles()/g.tw, t%g.tw
		start := (k*h+i*winoOut)*w + j*winoOut
		if k >= n {
			start = n * h * w
		}
		at[t/winoLanes][t%winoLanes] = int32(start)
	}
	return at
}

// frameOf copies a plane of h×w elements into a frame of rows of length row, from
// the given row and column on. Rows and columns beyond are cut off.
func frameOf[T Float](frame []T, row int, plane []T, h, w, top, left int) {
	n := min(w, row-left)
	for i := range min(h, len(frame)/row-top) {
		copy(frame[(top+i)*row+left:][:n], plane[i*w:])
	}
}
