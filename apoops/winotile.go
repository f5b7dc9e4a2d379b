package apoops

const (
	winoIn    = 6               // rows and columns of a tile of the input
	winoOut   = 4               // of one of the output
	winoSize  = winoIn * winoIn // elements of a transformed tile
	winoLanes = 8               // tiles of a block
)

// winoTiles are the elements of a block of input tiles, and winoResults those of
// output tiles: an element of all tiles stands together.
type (
	winoTiles[T Float]   [winoSize][winoLanes]T
	winoResults[T Float] [winoOut * winoOut][winoLanes]T
)

// transform writes Bᵀ·x·B of each tile, element k at v[k·stride:]. It works in
// place.
func (b *winoTiles[T]) transform(v []T, stride int) {
	if fastTransform(b, v, stride) {
		return
	}
	for j := range winoIn {
		x0, x1, x2, x3, x4, x5 := &b[j], &b[6+j], &b[12+j], &b[18+j], &b[24+j], &b[30+j]
		for l := range winoLanes {
			x0[l], x1[l], x2[l], x3[l], x4[l], x5[l] = winoInput(x0[l], x1[l], x2[l], x3[l], x4[l], x5[l])
		}
	}
	for i := range winoIn {
		x0, x1, x2, x3, x4, x5 := &b[6*i], &b[6*i+1], &b[6*i+2], &b[6*i+3], &b[6*i+4], &b[6*i+5]
		for l := range winoLanes {
			x0[l], x1[l], x2[l], x3[l], x4[l], x5[l] = winoInput(x0[l], x1[l], x2[l], x3[l], x4[l], x5[l])
		}
	}
	b.write(v, stride)
}

// write copies the block, element k to v[k·stride:].
func (b *winoTiles[T]) write(v []T, stride int) {
	for k := range b {
		*(*[winoLanes]T)(v[k*stride:]) = b[k]
	}
}

// spread writes A·y·Aᵀ of each tile, as transform does. The block is scratch.
func (b *winoTiles[T]) spread(y *winoResults[T], v []T, stride int) {
	if fastSpread(b, y, v, stride) {
		return
	}
	for j := range winoOut {
		y0, y1, y2, y3 := &y[j], &y[4+j], &y[8+j], &y[12+j]
		for l := range winoLanes {
			b[j][l], b[6+j][l], b[12+j][l], b[18+j][l], b[24+j][l], b[30+j][l] = winoResultGrad(y0[l], y1[l], y2[l], y3[l])
		}
	}
	for i := range winoIn {
		x0, x1, x2, x3, x4, x5 := &b[6*i], &b[6*i+1], &b[6*i+2], &b[6*i+3], &b[6*i+4], &b[6*i+5]
		for l := range winoLanes {
			x0[l], x1[l], x2[l], x3[l], x4[l], x5[l] = winoResultGrad(x0[l], x1[l], x2[l], x3[l])
		}
	}
	b.write(v, stride)
}

// results sets y to Aᵀ·m·A of each tile, element k of m at m[k·stride:]. The block
// is scratch.
func (b *winoTiles[T]) results(y *winoResults[T], m []T, stride int) {
	if fastResults(b, y, m, stride) {
		return
	}
	for i := range winoIn {
		m0, m1, m2 := (*[winoLanes]T)(m[6*i*stride:]), (*[winoLanes]T)(m[(6*i+1)*stride:]), (*[winoLanes]T)(m[(6*i+2)*stride:])
		m3, m4, m5 := (*[winoLanes]T)(m[(6*i+3)*stride:]), (*[winoLanes]T)(m[(6*i+4)*stride:]), (*[winoLanes]T)(m[(6*i+5)*stride:])
		for l := range winoLanes {
			b[4*i][l], b[4*i+1][l], b[4*i+2][l], b[4*i+3][l] = winoResult(m0[l], m1[l], m2[l], m3[l], m4[l], m5[l])
		}
	}
	for j := range winoOut {
		for l := range winoLanes {
			y[j][l], y[4+j][l], y[8+j][l], y[12+j][l] = winoResult(b[j][l], b[4+j][l], b[8+j][l], b[12+j][l], b[16+j][l], b[20+j][l])
		}
	}
}
