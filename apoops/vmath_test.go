package apoops

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// TestSmallFunctions compares functions of package vmath with 300-bit
// arithmetic.
func TestSmallFunctions(t *testing.T) {
	near := func(what string, z, got float64, want *big.Float, tol float64) {
		t.Helper()
		w, _ := want.Float64()
		if math.Abs(got-w) > tol*math.Abs(w) {
			t.Fatalf("%s(%v) = %v, want %v", what, z, got, w)
		}
	}
	rng := rand.New(rand.NewPCG(5, 2))
	for e := -30.0; e < 2; e += 0.05 {
		for _, sign := range []float64{-1, 1} {
			z := sign * math.Exp(e) * (1 + rng.Float64()/16)
			rest := bigSub(bigSub(bigExp(bigOf(z)), bigOf(1)), bigOf(z))
			near("ExpRest", z, vmath.ExpRest(z), rest, 2e-13)
			near("Softplus", z, vmath.Softplus(z), bigLog(bigAdd(bigOf(1), bigExp(bigOf(z)))), 1e-15)
			near("Log1p", math.Abs(z), vmath.Log1p(math.Abs(z)), bigLog(bigAdd(bigOf(1), bigOf(math.Abs(z)))), 1e-15)
		}
	}
	if vmath.ExpRest(0) != 0 || vmath.Log1p(0) != 0 || vmath.Softplus(-800) != 0 || vmath.Softplus(1e4) != 1e4 {
		t.Fatal("wrong value at a special point")
	}
}
