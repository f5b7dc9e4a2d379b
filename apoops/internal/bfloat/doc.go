// Package bfloat computes on the bits of bfloat16. Each result is rounded once.
//
// Products take the processor's instructions for bfloat16, where it has some and package
// dnn finds oneDNN. Operands are never expanded to float32; sums are of float32.
//
//	var p bfloat.Product
//	if p.Compile(a, b) {
//		err := p.Run(x, w, bias, act, y) // y = act(x·w + bias)
//	}
//
// Batch norm's loops over images in blocks of channels, norm.go, use AVX-512; where the
// processor has none they expand parts for those of package simd. Both give the same bits.
package bfloat
