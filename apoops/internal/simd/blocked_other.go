//go:build !amd64

package simd

// The level is Off: these are never called.

func blockSquares(*BlockSums, []float32, *[Block]float64)          {}
func blockProducts(_ *BlockSums, _, _ []float32, _ *BlockNorm)     {}
func blockReLUProducts(_ *BlockSums, _, _ []float32, _ *BlockNorm) {}
func blockAffine(_, _ []float32, _ *BlockNorm)                     {}
func blockGrad(_, _, _ []float32, _ *BlockNorm)                    {}
func blockReLUGrad(_, _, _ []float32, _ *BlockNorm)                {}
