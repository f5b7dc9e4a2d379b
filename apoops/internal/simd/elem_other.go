//go:build !amd64

package simd

// The level is Off: these are never called.

func add(_, _, _ []float32)                             {}
func scale([]float32, float32)                          {}
func addScaled(_, _ []float32, _ float32)               {}
func relu([]float32)                                    {}
func wherePositive(_, _, _ []float32)                   {}
func affine(_, _ []float32, _, _, _ float32)            {}
func normalise(_, _, _, _ []float32, _, _ float32)      {}
func combine(_, _, _ []float32, _, _ float32)           {}
func averageSquares(_, _ []float32, _, _ float32)       {}
func divideByRoots(_, _, _ []float32, _, _, _ float32)  {}
func normGrad(_, _, _, _ []float32, _, _, _, _ float32) {}

func maxPairs(_, _, _ []float32)              {}
func maxPairsGrad(_, _, _, _, _, _ []float32) {}

func timesLess(_, _, _ []float32, _ float64)                      {}
func dot(_ *Lanes, _, _ []float32)                                {}
func squares(_, _ *Lanes, _ []float32, _ float64)                 {}
func normSums(_, _ *Lanes, _, _, _, _, _ []float32, _, _ float32) {}
func dropOut(_, _ []float32, _, _ uint64, _ float32)              {}

func batchSums(_, _ *Lanes, _, _ []float32, _ float32)           {}
func batchReLUSums(_, _ *Lanes, _, _ []float32, _, _, _ float32) {}
func batchGrad(_, _, _ []float32, _, _, _, _ float32)            {}
func batchReLUGrad(_, _, _ []float32, _, _, _, _, _ float32)     {}

func sum(*Lanes, []float32) {}

func interleave(_, _ *float32, _, _ int)                {}
func deinterleave(_ *float32, _ int, _ *float32, _ int) {}

func addRows32([]float32, *float32, int, []float32) {}
func addRows64([]float64, *float64, int, []float64) {}
func maxAbs([]float32) float32                      { return 0 }
