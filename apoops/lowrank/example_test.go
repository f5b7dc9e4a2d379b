package lowrank_test

import (
	"fmt"
	"math"

	"github.com/apo-gorgonia/apo/apoops/lowrank"
)

// P of 5×5 with rank 1 learns from rows along the first axis, whose energy is 4. It goes
// to 1/(4 + ρ) there and to 1/ρ elsewhere.
func Example() {
	side := lowrank.Side{Size: 5, Rank: 1}
	phi, next := make([]float64, side.Len()), make([]float64, side.Len())
	sums, after := make([]float64, side.AverageLen()), make([]float64, side.AverageLen())
	p, average := lowrank.View(side, phi), lowrank.ViewAverage(side, sums)
	copy(p.V, []float64{0.6, 0.8, 0, 0, 0})
	p.SetIdentity(1)

	rows, weights, projected := []float64{2, 0, 0, 0, 0}, []float64{1}, make([]float64, 1)
	var mul lowrank.Multiplier[float64]
	var learner lowrank.Learner[float64]
	for range 100 {
		mul.Project(projected, rows, 1, p)
		step := lowrank.Step{Decay: 0.9, Oja: 0.5, Damping: 1}
		learner.Step(lowrank.View(side, next), lowrank.ViewAverage(side, after), p, average, rows, projected, weights, 1, step)
		copy(phi, next)
		copy(sums, after)
	}
	fmt.Printf("V %.3f C %.3f p %.3f\n", p.V, p.C, p.P)
	// Output: V [1.000 0.000 0.000 0.000 0.000] C [0.200] p [1.000]
}

// Two columns of length 1 that are at right angles.
func ExampleOrthonormal() {
	side := lowrank.Side{Size: 5, Rank: 2}
	v := make([]float64, side.Size*side.Rank)
	lowrank.Orthonormal(v, side, 1)
	var first, second, both float64
	for i := 0; i < len(v); i += 2 {
		first += v[i] * v[i]
		second += v[i+1] * v[i+1]
		both += v[i] * v[i+1]
	}
	fmt.Printf("%.6f %.6f %.6f\n", first, second, math.Abs(both))
	// Output: 1.000000 1.000000 0.000000
}
