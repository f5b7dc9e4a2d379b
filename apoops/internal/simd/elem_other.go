//go:build !amd64

package simd

// The level is Off: these are never called.

func add(_, _, _ []float32)                             {}
func scale([]float32, float32)                          {}
func relu([]float32)                                    {}
func wherePositive(_, _, _ []float32)                   {}
func affine(_, _ []float32, _, _, _ float32)            {}
func normalise(_, _, _, _ []float32, _, _ float32)      {}
func normGrad(_, _, _, _ []float32, _, _, _, _ float32) {}
