package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

//go:noescape
func winoInputAVX512(v *float32, stride uintptr, x *float32, row uintptr, room *winoRoom, c *[6]float32)

//go:noescape
func winoSpreadAVX512(v *float32, stride uintptr, x *float32, row uintptr, room *winoRoom, c *[6]float32)

//go:noescape
func winoResultAVX512(v *float32, stride uintptr, x *float32, row uintptr, room *winoRoom, c *[6]float32, bias *winoVec)

//go:noescape
func winoProduct16AVX512(p *winoCall)

//go:noescape
func winoProduct32AVX512(p *winoCall)

// winoCall is what the kernels of products read; distances are in bytes.
type winoCall struct {
	c, a, b                  *float32
	blocks, steps            int // of winoRows rows
	rowA, stepA, stepB, rowC int
	add                      int
	nextC, nextA, nextB      int // from a matrix to the next
	matrices                 int
}

// winoVectors reports whether the vectors of winovec.go are those of the processor.
func winoVectors() bool { return simd.Current() >= simd.AVX512 }

// inTile checks that a tile of n×n elements of a block lies in x, and its transforms in v.
func inTile(v []float32, stride int, x []float32, row, n int) {
	_, _ = v[(winoSize-1)*stride+dnn.Block-1], x[((n-1)*row+n)*dnn.Block-1]
}

func (r *winoRoom) fastInput(v []float32, stride int, x []float32, row int) bool {
	if !winoVectors() {
		return false
	}
	inTile(v, stride, x, row, winoIn)
	winoInputAVX512(&v[0], uintptr(stride)*4, &x[0], uintptr(row)*4*dnn.Block, r, &winoInputPoints)
	return true
}

func (r *winoRoom) fastSpread(v []float32, stride int, y []float32, row int) bool {
	if !winoVectors() {
		return false
	}
	inTile(v, stride, y, row, winoOut)
	winoSpreadAVX512(&v[0], uintptr(stride)*4, &y[0], uintptr(row)*4*dnn.Block, r, &winoResultPoints)
	return true
}

func (r *winoRoom) fastResult(m []float32, stride int, y []float32, row int, bias *winoVec) bool {
	if !winoVectors() {
		return false
	}
	inTile(m, stride, y, row, winoOut)
	winoResultAVX512(&m[0], uintptr(stride)*4, &y[0], uintptr(row)*4*dnn.Block, r, &winoResultPoints, bias)
	return true
}

func (p *winoProduct) fast(c, a, b []float32) bool {
	if !winoVectors() {
		return false
	}
	last := p.matrices - 1
	_, _ = c[last*p.nextC+(p.rows-1)*p.rowC+p.cols-1], a[last*p.nextA+(p.rows-1)*p.rowA+(p.steps-1)*p.stepA]
	_ = b[last*p.nextB+(p.steps-1)*p.stepB+p.cols-1]
	call := winoCall{blocks: p.rows / winoRows, steps: p.steps, rowA: p.rowA * 4, stepA: p.stepA * 4, stepB: p.stepB * 4, rowC: p.rowC * 4,
		nextC: p.nextC * 4, nextA: p.nextA * 4, nextB: p.nextB * 4}
	if p.add {
		call.add = 1
	}
	j := 0
	for ; j+2*dnn.Block <= p.cols; j += 2 * dnn.Block {
		call.c, call.a, call.b, call.matrices = &c[j], &a[0], &b[j], p.matrices
		winoProduct32AVX512(&call)
	}
	for ; j < p.cols; j += dnn.Block {
		call.c, call.a, call.b, call.matrices = &c[j], &a[0], &b[j], p.matrices
		winoProduct16AVX512(&call)
	}
	return true
}
