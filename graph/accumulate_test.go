package graph

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
)

// TestAccumulatedSums: sums are kept by their place in a run, whatever their lengths, and the
// last run has them, over all processes.
func TestAccumulatedSums(t *testing.T) {
	for name, comm := range map[string]collective.Communicator{"one process": nil, "two": twice{}} {
		a := &accumulated{Communicator: comm, parts: 3}
		factor := 1.0
		if comm != nil {
			factor = 2
		}
		for run := range 2 {
			for i := range 3 {
				a.begin(i)
				x, y := []float64{1, float64(i)}, []float32{float32(10 * i)}
				if run == 1 {
					x = append(x, 5)
				}
				for _, p := range []collective.Pending{a.Sum64(x), a.Sum32(y)} {
					if err := p.Wait(); err != nil {
						t.Fatal(err)
					}
				}
				if i < 2 {
					continue
				}
				want := []float64{3 * factor, 3 * factor, 15 * factor}[:len(x)]
				if !slices.Equal(x, want) || y[0] != float32(30*factor) {
					t.Errorf("%s, run %d: %v and %v", name, run, x, y)
				}
			}
		}
	}
}

// twice is a member whose sums are twice its own.
type twice struct{ collective.Communicator }

func (twice) Rank() int { return 0 }
func (twice) Size() int { return 2 }
func (twice) Sum32(x []float32) collective.Pending {
	for i := range x {
		x[i] *= 2
	}
	return done{}
}
func (twice) Sum64(x []float64) collective.Pending {
	for i := range x {
		x[i] *= 2
	}
	return done{}
}

// TestSumsOfSums: a graph that sums up what comes of a sum cannot be computed in parts.
func TestSumsOfSums(t *testing.T) {
	a := &accumulated{parts: 2}
	p := newProgram(tensor.Float64)
	p.group = &group{comm: a, parts: a}
	x := p.input(p.dt, tensor.Shape{3}, "x")
	one, err := p.oneWeight()
	must(t, err)
	first, err := apoops.Joint(a, x, one)
	must(t, err)
	must(t, p.checkSums(p.g))
	square, err := gorgonia.Square(first)
	must(t, err)
	if _, err = apoops.Joint(a, square, one); err != nil {
		t.Fatal(err)
	}
	if err := p.checkSums(p.g); err == nil || !strings.Contains(err.Error(), "cannot be computed in parts") {
		t.Errorf("%v", err)
	}
}
