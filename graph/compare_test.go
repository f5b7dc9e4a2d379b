package graph_test

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func differences(x []float64, eval func() float64) []float64 {
	const h = 1e-5
	d := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		above := eval()
		x[i] = v - h
		d[i] = (above - eval()) / (2 * h)
		x[i] = v
	}
	return d
}

// compare wants a and b equal to a tolerance relative to the largest of b.
func compare(t *testing.T, what string, a, b []float64, tolerance float64) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d numbers and %d", what, len(a), len(b))
	}
	scale := 1e-3
	for _, v := range b {
		scale = max(scale, math.Abs(v))
	}
	for i := range a {
		if !(math.Abs(a[i]-b[i]) <= tolerance*scale) {
			t.Fatalf("%s: %v and %v differ at %d", what, a, b, i)
		}
	}
}

func must0(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func flat(all []*tensor.Dense) (v []float64) {
	for _, d := range all {
		v = append(v, numbers(d)...)
	}
	return v
}

// numbers are the elements of a value.
func numbers(v gorgonia.Value) (all []float64) {
	switch d := v.Data().(type) {
	case float64:
		return []float64{d}
	case float32:
		return []float64{float64(d)}
	case []float64:
		return slices.Clone(d)
	case []float32:
		for _, x := range d {
			all = append(all, float64(x))
		}
	}
	return all
}
