// Package bfloat computes products on the bits of bfloat16, with instructions of the
// processor for them, where it has some and package dnn finds oneDNN. Operands are never
// expanded to float32; sums are of float32, and each result is rounded once.
//
//	var p bfloat.Product
//	if p.Compile(a, b) {
//		err := p.Run(x, w, bias, act, y) // y = act(x·w + bias)
//	}
package bfloat
