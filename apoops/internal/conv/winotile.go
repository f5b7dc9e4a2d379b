package conv

const (
	winoIn    = 6               // rows and columns of a tile of the input
	winoOut   = 4               // of one of the output
	winoSize  = winoIn * winoIn // elements of a transformed tile
	winoLanes = 8               // tiles of a block
)

// winoTiles is a block of tiles of up to 6×6 elements, row by row: an element of all
// tiles stands together. Its methods read or write tiles of planes whose rows are
// row elements long; tile l begins at element at[l].
type winoTiles[T Float] [winoSize][winoLanes]T

// transform writes Bᵀ·x·B of 6×6 elements of a plane, element k at v[k·stride:].
func (b *winoTiles[T]) transform(v []T, stride int, plane []T, row int, at *[winoLanes]int32) {
	if fastTransform(b, v, stride, plane, row, at) {
		return
	}
	for l, from := range at {
		for i := range winoIn {
			x := (*[winoIn]T)(plane[int(from)+i*row:])
			for j := range winoIn {
				b[winoIn*i+j][l] = x[j]
			}
		}
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

// spread writes A·y·Aᵀ of 4×4 elements of a plane, as transform does.
func (b *winoTiles[T]) spread(v []T, stride int, plane []T, row int, at *[winoLanes]int32) {
	if fastSpread(b, v, stride, plane, row, at) {
		return
	}
	for l, from := range at {
		for i := range winoOut {
			y := (*[winoOut]T)(plane[int(from)+i*row:])
			for j := range winoOut {
				b[winoIn*i+j][l] = y[j]
			}
		}
	}
	for j := range winoOut {
		for l := range winoLanes {
			b[j][l], b[6+j][l], b[12+j][l], b[18+j][l], b[24+j][l], b[30+j][l] = winoResultGrad(b[j][l], b[6+j][l], b[12+j][l], b[18+j][l])
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

// results writes Aᵀ·m·A, element k of m at m[k·stride:], to 4×4 elements of a plane.
func (b *winoTiles[T]) results(m []T, stride int, plane []T, row int, at *[winoLanes]int32) {
	if fastResults(b, m, stride, plane, row, at) {
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
			b[j][l], b[4+j][l], b[8+j][l], b[12+j][l] = winoResult(b[j][l], b[4+j][l], b[8+j][l], b[12+j][l], b[16+j][l], b[20+j][l])
		}
	}
	for l, to := range at {
		for i := range winoOut {
			y := (*[winoOut]T)(plane[int(to)+i*row:])
			for j := range winoOut {
				y[j] = b[winoOut*i+j][l]
			}
		}
	}
}
