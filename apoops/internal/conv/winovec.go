package conv

import "github.com/apo-gorgonia/apo/apoops/dnn"

// winoVec is an element of the channels of a block.
type winoVec = [dnn.Block]float32

// winoRoom is memory for a tile of 6×6 elements of a block.
type winoRoom [winoSize]winoVec

// input writes Bᵀ·x·B of 6×6 elements of a block of channels, element k at v[k·stride:].
// x begins with the first, rows are row elements apart.
func (r *winoRoom) input(v []float32, stride int, x []float32, row int) {
	if r.fastInput(v, stride, x, row) {
		return
	}
	for l := range dnn.Block {
		var t [winoIn][winoIn]float32
		for j := range winoIn {
			at := func(i int) float32 { return x[(i*row+j)*dnn.Block+l] }
			t[0][j], t[1][j], t[2][j], t[3][j], t[4][j], t[5][j] = winoInput(at(0), at(1), at(2), at(3), at(4), at(5))
		}
		for i, s := range t {
			s[0], s[1], s[2], s[3], s[4], s[5] = winoInput(s[0], s[1], s[2], s[3], s[4], s[5])
			for j, e := range s {
				v[(winoIn*i+j)*stride+l] = e
			}
		}
	}
}

// spread writes A·y·Aᵀ of 4×4 elements of a block, as input does.
func (r *winoRoom) spread(v []float32, stride int, y []float32, row int) {
	if r.fastSpread(v, stride, y, row) {
		return
	}
	for l := range dnn.Block {
		var t [winoIn][winoOut]float32
		for j := range winoOut {
			at := func(i int) float32 { return y[(i*row+j)*dnn.Block+l] }
			t[0][j], t[1][j], t[2][j], t[3][j], t[4][j], t[5][j] = winoResultGrad(at(0), at(1), at(2), at(3))
		}
		for i, s := range t {
			var e [winoIn]float32
			e[0], e[1], e[2], e[3], e[4], e[5] = winoResultGrad(s[0], s[1], s[2], s[3])
			for j, e := range e {
				v[(winoIn*i+j)*stride+l] = e
			}
		}
	}
}

// result writes Aᵀ·m·A + bias, element k of m at m[k·stride:], to 4×4 elements of a block.
func (r *winoRoom) result(m []float32, stride int, y []float32, row int, bias *winoVec) {
	if r.fastResult(m, stride, y, row, bias) {
		return
	}
	for l := range dnn.Block {
		var t [winoOut][winoIn]float32
		for j := range winoIn {
			at := func(i int) float32 { return m[(winoIn*i+j)*stride+l] }
			t[0][j], t[1][j], t[2][j], t[3][j] = winoResult(at(0), at(1), at(2), at(3), at(4), at(5))
		}
		for i, s := range t {
			var e [winoOut]float32
			e[0], e[1], e[2], e[3] = winoResult(s[0], s[1], s[2], s[3], s[4], s[5])
			for j, e := range e {
				y[(i*row+j)*dnn.Block+l] = e + bias[l]
			}
		}
	}
}

// winoProduct is C = A·B, or C += A·B with add, for a number of matrices. Rows are a multiple
// of winoRows, columns one of dnn.Block. The distances are in elements.
type winoProduct struct {
	matrices          int
	nextC             int // from a matrix to the next
	nextA, nextB      int
	rows, cols, steps int
	rowA, stepA       int // of the rows of A, and of its steps
	stepB, rowC       int
	add               bool
}

// winoRows is the number of rows that a kernel takes at once.
const winoRows = 8

func (p *winoProduct) run(c, a, b []float32) {
	if p.fast(c, a, b) {
		return
	}
	for t := range p.matrices {
		p.one(c[t*p.nextC:], a[t*p.nextA:], b[t*p.nextB:])
	}
}

// one computes a matrix.
func (p *winoProduct) one(c, a, b []float32) {
	for i := range p.rows {
		row := c[i*p.rowC:][:p.cols]
		if !p.add {
			clear(row)
		}
		for k := range p.steps {
			f := a[i*p.rowA+k*p.stepA]
			for j, v := range b[k*p.stepB:][:p.cols] {
				row[j] += f * v
			}
		}
	}
}
