package bfloat

import "github.com/apo-gorgonia/apo/apoops/internal/simd"

// The length of the first slice is a multiple of simd.Block, and no other is shorter.

//go:noescape
func squares(s *simd.BlockSums, x []uint16, x0 *[simd.Block]float64)

//go:noescape
func products(s *simd.BlockSums, x, dy []uint16, n *simd.BlockNorm)

//go:noescape
func reluProducts(s *simd.BlockSums, x, dy []uint16, n *simd.BlockNorm)

//go:noescape
func affine(y, x []uint16, n *simd.BlockNorm)

//go:noescape
func reluAffine(y, x []uint16, n *simd.BlockNorm)

//go:noescape
func grad(dx, x, dy []uint16, n *simd.BlockNorm)

//go:noescape
func reluGrad(dx, x, dy []uint16, n *simd.BlockNorm)
