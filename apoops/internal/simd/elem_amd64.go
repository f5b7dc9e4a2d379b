package simd

// All slices of a call have the length of the first.

//go:noescape
func add(y, a, b []float32)

//go:noescape
func scale(y []float32, f float32)

//go:noescape
func addScaled(y, x []float32, f float32)

//go:noescape
func relu(y []float32)

//go:noescape
func wherePositive(dz, y, dy []float32)

//go:noescape
func affine(y, x []float32, m, f, b float32)

//go:noescape
func normalise(y, x, gain, shift []float32, mean, inv float32)

//go:noescape
func normGrad(dx, x, dy, gain []float32, mean, inv, level, slope float32)

//go:noescape
func combine(y, a, b []float32, f, h float32)

//go:noescape
func averageSquares(v, x []float32, f, h float32)

//go:noescape
func divideByRoots(y, x, v []float32, f, root, eps float32)

// a, b, da and db have twice as many elements as y.
//
//go:noescape
func maxPairs(y, a, b []float32)

//go:noescape
func maxPairsGrad(y, dy, a, b, da, db []float32)

//go:noescape
func timesLess(dx, y, dy []float32, dot float64)

//go:noescape
func sum(lanes *Lanes, x []float32)

//go:noescape
func dot(lanes *Lanes, x, y []float32)

//go:noescape
func squares(sum, square *Lanes, x []float32, x0 float64)

//go:noescape
func normSums(sum, product *Lanes, dgain, dshift, x, dy, gain []float32, mean, inv float32)

//go:noescape
func dropOutAVX512(y, x []float32, state, threshold uint64, f float32)

//go:noescape
func dropOutAVX2(y, x []float32, state, threshold uint64, f float32)

func dropOut(y, x []float32, state, threshold uint64, f float32) {
	if level == AVX512 {
		dropOutAVX512(y, x, state, threshold, f)
		return
	}
	dropOutAVX2(y, x, state, threshold, f)
}

//go:noescape
func batchSums(product, sum *Lanes, x, dy []float32, mean float32)

//go:noescape
func batchReLUSums(product, sum *Lanes, x, dy []float32, mean, f, shift float32)

//go:noescape
func batchGrad(dx, x, dy []float32, mean, f, slope, level float32)

//go:noescape
func batchReLUGrad(dx, x, dy []float32, mean, f, shift, slope, level float32)

// a is the first element of the first row, stride the elements from one row to the next.

//go:noescape
func addRows32(y []float32, a *float32, stride int, f []float32)

//go:noescape
func addRows64(y []float64, a *float64, stride int, f []float64)

//go:noescape
func maxAbs(x []float32) float32
