package simd

import "math/rand/v2"

func init() {
	routines = append(routines,
		elementwise("Add", 3, 0, func(x [][]float32, _ []float32) { Add(x[0], x[1], x[2]) }),
		elementwise("Add in place", 2, 0, func(x [][]float32, _ []float32) { Add(x[0], x[0], x[1]) }),
		elementwise("Scale", 1, 1, func(x [][]float32, f []float32) { Scale(x[0], f[0]) }),
		elementwise("AddScaled", 2, 1, func(x [][]float32, f []float32) { AddScaled(x[0], x[1], f[0]) }),
		elementwise("AddScaled in place", 1, 1, func(x [][]float32, f []float32) { AddScaled(x[0], x[0], f[0]) }),
		elementwise("ReLU", 1, 0, func(x [][]float32, _ []float32) { ReLU(x[0]) }),
		elementwise("WherePositive", 3, 0, func(x [][]float32, _ []float32) { WherePositive(x[0], x[1], x[2]) }),
		elementwise("Affine", 2, 3, func(x [][]float32, f []float32) { Affine(x[0], x[1], f[0], f[1], f[2]) }),
		elementwise("Normalise", 4, 2, func(x [][]float32, f []float32) { Normalise(x[0], x[1], x[2], x[3], f[0], f[1]) }),
		elementwise("NormGrad", 4, 4, func(x [][]float32, f []float32) {
			NormGrad(x[0], x[1], x[2], x[3], f[0], f[1], f[2], f[3])
		}),
		elementwise("Combine", 3, 2, func(x [][]float32, f []float32) { Combine(x[0], x[1], x[2], f[0], f[1]) }),
		elementwise("Combine in place", 2, 2, func(x [][]float32, f []float32) { Combine(x[0], x[0], x[1], f[0], f[1]) }),
		elementwise("AverageSquares", 2, 2, func(x [][]float32, f []float32) { AverageSquares(x[0], x[1], f[0], f[1]) }),
		elementwise("DivideByRoots", 3, 3, func(x [][]float32, f []float32) { DivideByRoots(x[0], x[1], x[2], f[0], f[1], f[2]) }),
		elementwise("DivideByRoots in place", 2, 3, func(x [][]float32, f []float32) { DivideByRoots(x[0], x[0], x[1], f[0], f[1], f[2]) }),
	)
}

// elementwise is a routine of that many slices, the first of which it changes, and
// numbers.
func elementwise(name string, slices, numbers int, call func(x [][]float32, f []float32)) routine {
	return routine{name, func(m *memory, n int, r *rand.Rand, rare bool) []uint64 {
		var x [][]float32
		for range slices {
			x = append(x, random(r, m.singles(n), rare))
		}
		call(x, random(r, make([]float32, numbers), rare))
		var bits []uint64
		for _, v := range x {
			bits = bitsOf(bits, v...)
		}
		return bits
	}}
}
