package parity

import (
	"fmt"
	"math"
	"strings"
)

// Tolerance is the largest relative error that passes.
const Tolerance = 1e-7

// floor is the smallest scale of relative errors.
const floor = 1e-8

// quantity is a kind of number that fixtures have.
type quantity int

const (
	loss quantity = iota
	grad
	theta
	phi
	metaQ
	metaLoss
	metaFSD
	metaWSD
	metaGrad
	quantities
)

var quantityNames = [quantities]string{"loss", "grad", "theta", "phi", "q", "meta-loss", "fsd", "wsd", "dphi"}

// Result has the largest relative error of each quantity of a fixture.
type Result struct {
	worst    [quantities]float64
	compared [quantities]bool
	first    string // where an error first exceeded Tolerance
	end      string // why the replay ended early, if it did
}

// Passed reports whether no error exceeds Tolerance.
func (r *Result) Passed() bool { return r.first == "" }

// String lists the largest relative error of each quantity in the fixture, the place
// of the first one above Tolerance, and an early end.
func (r *Result) String() string {
	var parts []string
	for q, name := range quantityNames {
		if r.compared[q] {
			parts = append(parts, fmt.Sprintf("%s=%.1e", name, r.worst[q]))
		}
	}
	if r.end != "" {
		parts = append(parts, r.end)
	}
	if !r.Passed() {
		parts = append(parts, "first: "+r.first)
	}
	return strings.Join(parts, " ")
}

// compare compares one array at a step. name is empty for a number.
func (r *Result) compare(q quantity, step int, name string, got, want []float64) {
	e := relativeError(got, want)
	r.compared[q] = true
	r.worst[q] = max(r.worst[q], e)
	if e > Tolerance && r.first == "" {
		r.first = strings.TrimSpace(quantityNames[q]+" "+name) + fmt.Sprintf(" at step %d", step)
	}
}

// relativeError is max|got-want| / max(max|want|, floor). It is infinite for arrays of
// different sizes, and if only one of them is finite. It is 0 if neither is finite.
func relativeError(got, want []float64) float64 {
	if len(got) != len(want) || finite(got) != finite(want) {
		return math.Inf(1)
	}
	if !finite(want) {
		return 0
	}
	difference, scale := 0.0, floor
	for i, w := range want {
		difference = max(difference, math.Abs(got[i]-w))
		scale = max(scale, math.Abs(w))
	}
	return difference / scale
}
