// Package half has the floating-point formats of 16 bits, float16 and bfloat16, and
// conversions of whole slices between them and float32.
//
//	bits := make([]uint16, len(x))
//	half.Pack(half.BFloat16, bits, x)   // to the nearest number, of two the even one
//	half.Expand(half.BFloat16, x, bits) // exact
//
// Round is both at once. PackStochastic and RoundStochastic choose one of the two
// neighbours of a number at random, the nearer one more often, so that the expected
// value is the number itself: a weight then moves by updates that are smaller than half
// its last place, which rounding to the nearest would lose every time.
//
//	key := half.Key(seed, parameter, step)
//	half.RoundStochastic(half.BFloat16, w, key, 0)
//
// ToBits and FromBits are the definition of the formats, for single numbers in float64.
// The conversions of slices work on the bits of float32, in vector instructions where
// the processor has them, with the same results. They run on one core; a caller that
// cuts a slice among cores gets the same bits as one that does not.
package half
