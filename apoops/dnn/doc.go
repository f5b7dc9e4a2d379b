// Package dnn computes convolutions of float32 and products of float32 and bfloat16 with
// oneDNN, opened at run time as package blas opens its library: no C compiler and no
// build tag, and nothing but an error where the library is not there (Debian's libdnnl2
// has it).
//
//	name, err := dnn.Library() // "onednn 2.6.3 (libdnnl.so.2)"
//	c, err := dnn.NewConvolution(dnn.Shape{N: 128, C: 64, H: 32, W: 32, Out: 64,
//		Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}, dnn.Activation[float32]{})
//	err = c.Forward(x, w, bias, y)
//	err = c.Backward(x, w, nil, dy, dx, dw, db)
//
// Elements of bfloat16 are uint16, their bits. BFloat16 says whether the processor has
// instructions for them:
//
//	p, err := dnn.NewProduct[uint16, float32](a, b, c, false) // sums in float32
//
// APO_DNN=off does without, APO_DNN=/path/to/lib.so names the library. On one
// kind of processor results are the same bit for bit in every run, on any number
// of cores; between kinds they differ by rounding.
package dnn
