// Package par runs loops on all cores without allocating.
//
// A loop of n iterations is cut into chunks of a fixed length, so the borders
// of the chunks, and with them the order of every partial sum, depend on n and
// the chunk length alone, never on the number of cores:
//
//	par.For(len(w), 4096, func(lo, hi int) {
//		for i := lo; i < hi; i++ {
//			w[i] -= rate * g[i]
//		}
//	})
//
// A body that is kept (in a struct field, say) instead of written in place
// costs no allocation per call.
package par
