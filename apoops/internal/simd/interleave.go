package simd

// Interleave writes the rows of Block channels, which begin stride elements apart in src, side
// by side: dst[i·Block+l] = src[l·stride+i] for all of dst.
func Interleave(dst, src []float32, stride int) {
	n := len(dst) / Block
	if n == 0 {
		return
	}
	src = src[:(Block-1)*stride+n]
	if level >= AVX512 {
		interleave(&dst[0], &src[0], stride, n)
		return
	}
	for l := range Block {
		for i, v := range src[l*stride:][:n] {
			dst[i*Block+l] = v
		}
	}
}

// Deinterleave is the inverse of Interleave: dst[l·stride+i] = src[i·Block+l] for all of src.
func Deinterleave(dst []float32, stride int, src []float32) {
	n := len(src) / Block
	if n == 0 {
		return
	}
	dst = dst[:(Block-1)*stride+n]
	if level >= AVX512 {
		deinterleave(&dst[0], stride, &src[0], n)
		return
	}
	for l := range Block {
		row := dst[l*stride:][:n]
		for i := range row {
			row[i] = src[i*Block+l]
		}
	}
}
