package simd

//go:noescape
func interleave(dst, src *float32, stride, n int)

//go:noescape
func deinterleave(dst *float32, stride int, src *float32, n int)
