package simd

// The lengths of the first slices are multiples of Block.

//go:noescape
func blockSquares(s *BlockSums, x []float32, x0 *[Block]float64)

//go:noescape
func blockProducts(s *BlockSums, x, dy []float32, n *BlockNorm)

//go:noescape
func blockReLUProducts(s *BlockSums, x, dy []float32, n *BlockNorm)

//go:noescape
func blockAffine(y, x []float32, n *BlockNorm)

//go:noescape
func blockGrad(dx, x, dy []float32, n *BlockNorm)

//go:noescape
func blockReLUGrad(dx, x, dy []float32, n *BlockNorm)
