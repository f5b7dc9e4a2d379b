//go:build !amd64

package bfloat

import "github.com/apo-gorgonia/apo/apoops/internal/simd"

// There are no vectors: these are never called.

func squares(*simd.BlockSums, []uint16, *[simd.Block]float64)          {}
func products(_ *simd.BlockSums, _, _ []uint16, _ *simd.BlockNorm)     {}
func reluProducts(_ *simd.BlockSums, _, _ []uint16, _ *simd.BlockNorm) {}
func affine(_, _ []uint16, _ *simd.BlockNorm)                          {}
func reluAffine(_, _ []uint16, _ *simd.BlockNorm)                      {}
func grad(_, _, _ []uint16, _ *simd.BlockNorm)                         {}
func reluGrad(_, _, _ []uint16, _ *simd.BlockNorm)                     {}
