package conv

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

//go:noescape
func winoTransformAVX(v *float32, stride uintptr, b *winoTiles[float32], c *[6]float32, plane *float32, row uintptr, at *int32)

//go:noescape
func winoResultsAVX(m *float32, stride uintptr, b *winoTiles[float32], c *[6]float32, plane *float32, row uintptr, at *int32)

//go:noescape
func winoSpreadAVX(v *float32, stride uintptr, b *winoTiles[float32], c *[6]float32, plane *float32, row uintptr, at *int32)

//go:noescape
func winoKernelsAVX(u *float32, stride uintptr, w *float32, step int, b *winoTiles[float32], c *[7]float32)

//go:noescape
func winoKernelsBackAVX(w *float32, step int, u *float32, stride uintptr, b *winoTiles[float32], c *[7]float32)

var (
	winoInputPoints  = [6]float32{winoA, winoB, winoA2, winoB2, winoAB, winoAA}
	winoResultPoints = [6]float32{winoA, winoB, winoA2, winoB2, winoA3, winoB3}
	winoKernelPoints = [7]float32{winoGA, winoGA * winoA2, winoGA * winoA, winoGB, winoGB * winoB2, winoGB * winoB, winoG0}
)

// The functions of this file do what the methods of winoTiles do, with the
// processor's vectors. fast returns the operands as float32; ok is false if the level
// of package simd or T is not right.
func fast[T Float](b *winoTiles[T], v []T, stride int, plane []T) (t *winoTiles[float32], to, from []float32, ok bool) {
	if simd.Current() == simd.Off || !blas.Pick[T](true, false) {
		return nil, nil, nil, false
	}
	t, to, from = any(b).(*winoTiles[float32]), any(v).([]float32), any(plane).([]float32)
	_ = to[(winoSize-1)*stride+winoLanes-1] // the strides are positive
	return t, to, from, true
}

func fastTransform[T Float](b *winoTiles[T], v []T, stride int, plane []T, row int, at *[winoLanes]int32) bool {
	t, to, from, ok := fast(b, v, stride, plane)
	if ok {
		winoTransformAVX(&to[0], uintptr(stride)*4, t, &winoInputPoints, &from[0], uintptr(row)*4, &at[0])
	}
	return ok
}

func fastSpread[T Float](b *winoTiles[T], v []T, stride int, plane []T, row int, at *[winoLanes]int32) bool {
	t, to, from, ok := fast(b, v, stride, plane)
	if ok {
		winoSpreadAVX(&to[0], uintptr(stride)*4, t, &winoResultPoints, &from[0], uintptr(row)*4, &at[0])
	}
	return ok
}

func fastResults[T Float](b *winoTiles[T], m []T, stride int, plane []T, row int, at *[winoLanes]int32) bool {
	t, from, to, ok := fast(b, m, stride, plane)
	if ok {
		winoResultsAVX(&from[0], uintptr(stride)*4, t, &winoResultPoints, &to[0], uintptr(row)*4, &at[0])
	}
	return ok
}

// fastKernels does what winoOneKernel does for eight kernels side by side.
func fastKernels[T Float](b *winoTiles[T], u []T, stride int, w []T, at, step int) bool {
	t, to, from, ok := fast(b, u, stride, w)
	if ok {
		_, _ = from[min(at, at+8*step)], from[max(at, at+8*step)+winoLanes-1]
		winoKernelsAVX(&to[0], uintptr(stride)*4, &from[at], step*4, t, &winoKernelPoints)
	}
	return ok
}

func fastKernelsBack[T Float](b *winoTiles[T], w []T, step int, u []T, stride int) bool {
	t, from, to, ok := fast(b, u, stride, w)
	if ok {
		_ = to[8*step+winoLanes-1]
		winoKernelsBackAVX(&to[0], step*4, &from[0], uintptr(stride)*4, t, &winoKernelPoints)
	}
	return ok
}
