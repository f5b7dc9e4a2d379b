package report

import (
	"slices"
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/benchmarks/methods"
)

// TestHighlight has 14 methods, whose curves end at 1, 2, …: those apart are the basic ones,
// the best form of APO and the best others, up to eight.
func TestHighlight(t *testing.T) {
	names := []string{"precond-plain", "sgdm", "a", "adam", "b", "precond-above", "precond", "c", "d", "e", "f", "g", "h", "i"}
	apo := []string{"precond-plain", "precond-above", "precond"}
	bright := func(names []string, higher bool) (all []string) {
		var lines []chart.Line
		var of []*series
		for i, name := range names {
			l := chart.Line{Name: name, Y: []float64{100, float64(i + 1)}, Low: []float64{1, 1}, High: []float64{2, 2}}
			if slices.Contains(apo, name) {
				l.Name = "APO " + name
			}
			lines, of = append(lines, l), append(of, &series{method: &methods.Method{Name: name}})
		}
		highlight(lines, of, higher)
		looks := 0
		for i, l := range lines {
			if l.Faint != (l.Low == nil) {
				t.Errorf("%s: faint %v, band %v", l.Name, l.Faint, l.Low)
			}
			if !l.Faint {
				if c, dotted := chart.Look(looks); l.Color != c || l.Dotted != dotted {
					t.Errorf("%s does not have look %d", l.Name, looks)
				}
				looks++
				all = append(all, names[i])
			}
		}
		return all
	}
	for higher, want := range map[bool][]string{
		false: {"precond-plain", "sgdm", "a", "adam", "b", "c", "d", "e"}, // the plain form is the best of APO too
		true:  {"precond-plain", "sgdm", "adam", "precond", "f", "g", "h", "i"},
	} {
		if got := bright(names, higher); !slices.Equal(got, want) {
			t.Errorf("higher is better %v: %v, want %v", higher, got, want)
		}
	}
	if few := names[:12]; !slices.Equal(bright(few, false), few) {
		t.Error("of twelve some are faint")
	}
}
