package learn

// Weight is the weight λ of a discrepancy term in the proximal objective
// (Eq. 8) as a function of the step, counted from 0. Values are finite and
// ≥ 0; 0 switches the term off.
type Weight func(step int) float64

// Const is the weight v at every step.
func Const(v float64) Weight { return func(int) float64 { return v } }
