package apoops

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

// gatherTile sets lane l of a block to tile i, j of a plane of the source.
func gatherTile[T Float](b *winoTiles[T], l int, g *winoGrid, plane []T, i, j int) {
	l &= winoLanes - 1
	top, left := i*winoOut-g.padH, j*winoOut-g.padW
	if top >= 0 && top+winoIn <= g.h && left >= 0 && left+winoIn <= g.w {
		for r := range winoIn {
			row := plane[(top+r)*g.w+left:][:winoIn]
			to := (*[winoIn][winoLanes]T)(b[r*winoIn:])
			for c := range winoIn {
				to[c][l] = row[c]
			}
		}
		return
	}
	for r := range winoIn {
		to := (*[winoIn][winoLanes]T)(b[r*winoIn:])
		if top+r < 0 || top+r >= g.h {
			for c := range winoIn {
				to[c][l] = 0
			}
			continue
		}
		row := plane[(top+r)*g.w : (top+r+1)*g.w]
		for c := range winoIn {
			if k := left + c; k >= 0 && k < len(row) {
				to[c][l] = row[k]
			} else {
				to[c][l] = 0
			}
		}
	}
}

// gatherResult sets lane l of a block to tile i, j of a plane of the result, with 0
// beyond its borders.
func gatherResult[T Float](b *winoResults[T], l int, g *winoGrid, plane []T, i, j int) {
	l &= winoLanes - 1
	top, left := i*winoOut, j*winoOut
	for r := range winoOut {
		to := (*[winoOut][winoLanes]T)(b[r*winoOut:])
		if top+r >= g.oh {
			for c := range winoOut {
				to[c][l] = 0
			}
			continue
		}
		row := plane[(top+r)*g.ow : (top+r+1)*g.ow][left:]
		for c := range winoOut {
			if c < len(row) {
				to[c][l] = row[c]
			} else {
				to[c][l] = 0
			}
		}
	}
}

// scatterResult writes lane l of a block to tile i, j of a plane of the result and
// adds the bias.
func scatterResult[T Float](b *winoResults[T], l int, g *winoGrid, plane []T, i, j int, bias T) {
	l &= winoLanes - 1
	top, left := i*winoOut, j*winoOut
	for r := range min(winoOut, g.oh-top) {
		row := plane[(top+r)*g.ow : (top+r+1)*g.ow][left:]
		from := (*[winoOut][winoLanes]T)(b[r*winoOut:])
		if len(row) >= winoOut {
			row = row[:winoOut]
			row[0], row[1], row[2], row[3] = from[0][l]+bias, from[1][l]+bias, from[2][l]+bias, from[3][l]+bias
			continue
		}
		for c := range row {
			row[c] = from[c][l] + bias
		}
	}
}
