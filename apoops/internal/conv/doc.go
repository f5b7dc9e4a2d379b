// Package conv computes convolutions of images and their gradients. New chooses one of
// five ways:
//
//	im2col.go, patches.go   products of the weights with patches, in both precisions
//	winograd.go, wino*.go   Winograd's algorithm for 3×3 kernels, with AVX for amd64
//	winoblocks.go           the same with AVX-512, a vector for sixteen channels
//	positions.go, pairs.go  products of pairs of positions, for small images
//	onednn.go               oneDNN, where package dnn finds the library
//
// Bits computes on the bits of bfloat16, by winoblocks.go, by oneDNN or, for the weights'
// gradients of small images, by products of positions: bits.go, winobits.go, posbits.go.
//
// The images are N×C×H×W, the weights (C·kh·kw+1)×O: one row for each element of a
// patch, in the order channel, row, column, and the bias as the last row.
package conv
