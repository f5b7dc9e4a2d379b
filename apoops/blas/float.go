package blas

// Float is the set of element types.
type Float interface{ float32 | float64 }

// Pick returns the value for T: single for float32, double for float64. Packages
// that have a variable or a function for each element type choose by it, so that
// the compiler names these places when a type is added.
func Pick[T Float, V any](single, double V) V {
	var x any = T(0)
	if _, ok := x.(float32); ok {
		return single
	}
	return double
}
