package bfloat

import (
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// The loops of batch norm over images in blocks of simd.Block channels, on the bits of
// bfloat16. They give the bits of simd's loops on the same numbers in float32, with the
// elements of results rounded to nearest even. With AVX-512 no element is in memory as
// float32; elsewhere parts are.

// part is the number of elements that are expanded at once.
const part = 128 * simd.Block

// vectors reports whether the processor has what the assembly needs.
func vectors() bool { return simd.Current() >= simd.AVX512 }

// Squares is s.Squares.
func Squares(s *simd.BlockSums, x []uint16, x0 *[simd.Block]float64) {
	if vectors() {
		squares(s, x[:whole(x)], x0)
		return
	}
	room := scratch.Get[float32](part)
	for lo := 0; lo < len(x); lo += part {
		s.Squares(expand(room, x, lo), x0)
	}
	scratch.Put(room)
}

// Products is s.Products, or s.ReLUProducts with relu.
func Products(s *simd.BlockSums, x, dy []uint16, n *simd.BlockNorm, relu bool) {
	x = x[:len(dy)]
	if vectors() {
		if relu {
			reluProducts(s, x[:whole(x)], dy, n)
		} else {
			products(s, x[:whole(x)], dy, n)
		}
		return
	}
	room := scratch.Get[float32](2 * part)
	for lo := 0; lo < len(x); lo += part {
		x, dy := expand(room, x, lo), expand(room[part:], dy, lo)
		if relu {
			s.ReLUProducts(x, dy, n)
		} else {
			s.Products(x, dy, n)
		}
	}
	scratch.Put(room)
}

// Affine is n.Affine, with max(y, 0) for y if relu is set.
func Affine(n *simd.BlockNorm, y, x []uint16, relu bool) {
	x = x[:len(y)]
	if vectors() {
		if relu {
			reluAffine(y[:whole(y)], x, n)
		} else {
			affine(y[:whole(y)], x, n)
		}
		return
	}
	room := scratch.Get[float32](part)
	for lo := 0; lo < len(x); lo += part {
		z := expand(room, x, lo)
		n.Affine(z, z)
		if relu {
			simd.ReLU(z)
		}
		half.Pack(half.BFloat16, y[lo:], z)
	}
	scratch.Put(room)
}

// Grad is n.Grad, or n.ReLUGrad with relu.
func Grad(n *simd.BlockNorm, dx, x, dy []uint16, relu bool) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	if vectors() {
		if relu {
			reluGrad(dx[:whole(dx)], x, dy, n)
		} else {
			grad(dx[:whole(dx)], x, dy, n)
		}
		return
	}
	room := scratch.Get[float32](2 * part)
	for lo := 0; lo < len(x); lo += part {
		x, d := expand(room, x, lo), expand(room[part:], dy, lo)
		if relu {
			n.ReLUGrad(d, x, d)
		} else {
			n.Grad(d, x, d)
		}
		half.Pack(half.BFloat16, dx[lo:], d)
	}
	scratch.Put(room)
}

// whole is the number of elements that make whole vectors of channels.
func whole(x []uint16) int { return len(x) / simd.Block * simd.Block }

// expand returns the part of x from lo on as float32, in room.
func expand(room []float32, x []uint16, lo int) []float32 {
	x = x[lo:min(lo+part, len(x))]
	x = x[:whole(x)]
	half.Expand(half.BFloat16, room[:len(x)], x)
	return room[:len(x)]
}
