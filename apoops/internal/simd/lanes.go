package simd

// Sequential is the number of elements from which on a sum is made in Lanes.
const Sequential = 32

// Lanes are partial sums: that of the elements i has those with the remainder i.
type Lanes [8]float64

// Sum adds up the partial sums.
func (l *Lanes) Sum() float64 {
	return ((l[0] + l[1]) + (l[2] + l[3])) + ((l[4] + l[5]) + (l[6] + l[7]))
}
