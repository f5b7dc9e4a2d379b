package selftune

import (
	"math"
	"slices"
	"testing"
)

var inf = math.Inf(1)

// Three methods on four workloads, the last of which none of them solves.
func TestRatiosProfilesAndAreasByHand(t *testing.T) {
	times := [][]float64{
		{10, 30, inf, inf},
		{20, 10, 50, inf},
		{inf, 60, 100, inf},
	}
	want := [][]float64{
		{1, 3, inf, inf},
		{2, 1, 1, inf},
		{inf, 6, 2, inf},
	}
	ratios := Ratios(times)
	for m := range want {
		if !slices.Equal(ratios[m], want[m]) {
			t.Errorf("ratios of method %d: %v, want %v", m, ratios[m], want[m])
		}
	}
	for _, c := range []struct {
		method   int
		tau, rho float64
	}{{0, 1, 0.25}, {0, 2.99, 0.25}, {0, 3, 0.5}, {1, 1, 0.5}, {1, 2, 0.75}, {2, 1, 0}, {2, 2, 0.25}, {2, 6, 0.5}, {2, 1e9, 0.5}} {
		if rho := Profile(ratios[c.method], c.tau); rho != c.rho {
			t.Errorf("ρ(%v) of method %d is %v, want %v", c.tau, c.method, rho, c.rho)
		}
	}
	// From 1 to 4: method 0 has 1/4 up to 3, then 1/2; method 1 has 1/2 up to 2, then 3/4;
	// method 2 has 0 up to 2, then 1/4.
	for m, want := range []float64{(2*0.25 + 1*0.5) / 3, (1*0.5 + 2*0.75) / 3, 2 * 0.25 / 3} {
		if area := Area(ratios[m], 4); math.Abs(area-want) > 1e-15 {
			t.Errorf("area of method %d is %v, want %v", m, area, want)
		}
	}
}

// The area is the integral of the drawn graph.
func TestAreaIsThatOfTheGraph(t *testing.T) {
	ratios := []float64{1, 1, 1.5, 2.25, 2.25, 3.9, 4, 7, inf}
	tau, rho := steps(ratios, 4)
	sum := 0.0
	for i := 1; i < len(tau); i++ {
		sum += (tau[i] - tau[i-1]) * rho[i-1]
	}
	if area := Area(ratios, 4); math.Abs(area-sum/3) > 1e-12 {
		t.Errorf("area %v, under the graph %v", area, sum/3)
	}
	for i, x := range tau {
		if i > 0 && tau[i-1] == x {
			continue // the upper end of a step is the next corner
		}
		if before := Profile(ratios, math.Nextafter(x, 0)); x > 1 && rho[i] != before {
			t.Errorf("the graph is at %v below τ = %v, want %v", rho[i], x, before)
		}
	}
	if tau[0] != 1 || tau[len(tau)-1] != 4 || rho[len(rho)-1] != 7./9 {
		t.Errorf("the graph is %v, %v", tau, rho)
	}
}

// The fastest everywhere has area 1, one that reaches nothing 0.
func TestAreaBounds(t *testing.T) {
	if Area([]float64{1, 1}, 4) != 1 || Area([]float64{inf, 9}, 4) != 0 {
		t.Error("the area is not from 0 to 1")
	}
}
