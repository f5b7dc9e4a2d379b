package simd

// All slices of a call have the length of the first.

//go:noescape
func add(y, a, b []float32)

//go:noescape
func scale(y []float32, f float32)

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
