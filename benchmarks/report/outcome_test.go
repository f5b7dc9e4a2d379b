package report

import (
	"testing"

	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

// Ranges decide between several seeds. With one there is none, and a difference of two
// runs is no more than that.
func TestOutcomes(t *testing.T) {
	of := func(name, seeds string, apo, other spread) task {
		return task{p: &page{e: &experiments.Experiment{Figure: "Figure 9", Title: name}}, results: []result{
			{label: "APO-Precond", seeds: seeds, spread: apo, ok: true}, {label: "Adam", seeds: seeds, spread: other, ok: true},
		}}
	}
	at := func(median float64) spread { return spread{median: median, low: median, high: median} }
	tasks := []task{
		of("a", "3", spread{median: 1, low: 0.9, high: 1.1}, spread{median: 2, low: 1.5, high: 2.5}),
		of("b", "3", spread{median: 3, low: 2.6, high: 3.1}, spread{median: 2, low: 1.5, high: 2.5}),
		of("c", "3", spread{median: 1, low: 0.9, high: 1.6}, spread{median: 2, low: 1.5, high: 2.5}),
		of("d", "1", at(1), at(2)), of("e", "1", at(2), at(1)), of("f", "1", at(1), at(1)),
	}
	for i, want := range []string{better, worse, unclear, ahead, behind, unclear} {
		if got := tasks[i].outcome(); got != want {
			t.Errorf("%s: %q, want %q", tasks[i].p.e.Title, got, want)
		}
	}
	want := "In 1 of 4 experiments with several seeds its best form ends better than the best other method, in 2 there is no clear difference, in 1 it ends worse (Figure 9: b). " +
		"In 1 of 2 experiments with one seed it ends ahead, in 1 behind (Figure 9: e)."
	if got := worksText(tasks); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := worksText(tasks[:0]); got != "No experiment has runs of APO and of another method." {
		t.Errorf("of nothing: %q", got)
	}
}
