package simd

// The loops of batch norm over images in blocks of Block channels, of float32: element i
// is of channel i%Block. Each channel's sums are made from its first element to its last, in
// float64.

// Block is the number of channels whose elements lie side by side.
const Block = 16

// BlockSums are two sums for each channel of a block.
type BlockSums [2][Block]float64

// BlockNorm has for each channel of a block the numbers that batch norm takes.
type BlockNorm struct {
	Mean, F, Shift, Slope, Level [Block]float32 // assembly knows the order
}

// Squares adds x - x0 and its square.
func (s *BlockSums) Squares(x []float32, x0 *[Block]float64) {
	if level > Off {
		blockSquares(s, x[:len(x)/Block*Block], x0)
		return
	}
	for ; len(x) >= Block; x = x[Block:] {
		for c, v := range x[:Block] {
			p := float64(v) - x0[c]
			s[0][c] += p
			s[1][c] += float64(p * p)
		}
	}
}

// Products adds dy·(x - mean) and dy.
func (s *BlockSums) Products(x, dy []float32, n *BlockNorm) {
	x = x[:len(dy)]
	if level > Off {
		blockProducts(s, x[:len(x)/Block*Block], dy, n)
		return
	}
	for ; len(x) >= Block; x, dy = x[Block:], dy[Block:] {
		for c, v := range x[:Block] {
			s[0][c] += float64(float32(dy[c] * (v - n.Mean[c])))
			s[1][c] += float64(dy[c])
		}
	}
}

// ReLUProducts is Products of dy where (x - mean)·f + shift > 0, of 0 elsewhere.
func (s *BlockSums) ReLUProducts(x, dy []float32, n *BlockNorm) {
	x = x[:len(dy)]
	if level > Off {
		blockReLUProducts(s, x[:len(x)/Block*Block], dy, n)
		return
	}
	share := [2]float32{0, 1}
	for ; len(x) >= Block; x, dy = x[Block:], dy[Block:] {
		for c, v := range x[:Block] {
			p := v - n.Mean[c]
			a := float32(dy[c] * share[positive(float32(p*n.F[c])+n.Shift[c])&1])
			s[0][c] += float64(float32(a * p))
			s[1][c] += float64(a)
		}
	}
}

// Affine sets y = (x - mean)·f + shift.
func (n *BlockNorm) Affine(y, x []float32) {
	x = x[:len(y)]
	if level > Off {
		blockAffine(y[:len(y)/Block*Block], x, n)
		return
	}
	for ; len(x) >= Block; x, y = x[Block:], y[Block:] {
		for c, v := range x[:Block] {
			y[c] = float32((v-n.Mean[c])*n.F[c]) + n.Shift[c]
		}
	}
}

// Grad sets dx = dy·f - (x - mean)·slope - level.
func (n *BlockNorm) Grad(dx, x, dy []float32) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	if level > Off {
		blockGrad(dx[:len(dx)/Block*Block], x, dy, n)
		return
	}
	for ; len(x) >= Block; dx, x, dy = dx[Block:], x[Block:], dy[Block:] {
		for c, v := range x[:Block] {
			dx[c] = float32(dy[c]*n.F[c]) - float32((v-n.Mean[c])*n.Slope[c]) - n.Level[c]
		}
	}
}

// ReLUGrad is Grad of dy as in ReLUProducts.
func (n *BlockNorm) ReLUGrad(dx, x, dy []float32) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	if level > Off {
		blockReLUGrad(dx[:len(dx)/Block*Block], x, dy, n)
		return
	}
	for ; len(x) >= Block; dx, x, dy = dx[Block:], x[Block:], dy[Block:] {
		for c, v := range x[:Block] {
			p := v - n.Mean[c]
			share := [2]float32{0, n.F[c]}
			dx[c] = float32(dy[c]*share[positive(float32(p*n.F[c])+n.Shift[c])&1]) - float32(p*n.Slope[c]) - n.Level[c]
		}
	}
}
