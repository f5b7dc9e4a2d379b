package learn

import (
	"math"
	"math/rand/v2"
	"testing"
)

// rises are the steps where a rise is seen in n losses that scatter, and watched anew at once.
func rises(seed uint64, n int, scatter, scale float64, loss func(step float64) float64) (at []int) {
	rng, w := rand.New(rand.NewPCG(seed, 3)), make(risingLoss, numbersOfRise)
	for step := range n {
		if step%leastWindow == 0 && w.seen(1, 0.1, 0.9) {
			at = append(at, step)
			w.again(step, 1)
		}
		w.add(scale * (loss(float64(step)) + scatter*rng.NormFloat64()))
	}
	return at
}

// TestRise: a loss that goes up again is seen within some windows, on any scale; a short peak is
// not, nor is chance.
func TestRise(t *testing.T) {
	const turn = 200
	falls := func(step float64) float64 { return 2.3*math.Exp(-step/100) - 5 }
	turns := func(step float64) float64 { return falls(min(step, turn)) + 0.01*max(0, step-turn) }
	peaks := func(step float64) float64 {
		if step >= turn && step < turn+leastWindow {
			return falls(step) + 1
		}
		return falls(step)
	}
	same := func(float64) float64 { return -2 }
	count := func(scatter float64, loss func(float64) float64) (runs int) {
		for seed := range uint64(100) {
			if rises(seed, 500, scatter, 1, loss) != nil {
				runs++
			}
		}
		return runs
	}
	for seed := range uint64(100) {
		for _, scale := range []float64{0.001, 1, 1000} {
			if at := rises(seed, 500, 0.1, scale, turns); len(at) == 0 || at[0] <= turn || at[0] > turn+100 {
				t.Errorf("seed %d, scale %v: the loss rises from step %d on, seen at %v", seed, scale, turn, at)
			}
		}
	}
	if at := rises(1, 500, 0.1, 1e200, falls); at != nil {
		t.Errorf("losses whose squares overflow: a rise at %v", at)
	}
	for what, c := range map[string]struct {
		scatter float64
		loss    func(float64) float64
		most    int // runs of 100
	}{"falls": {0.1, falls, 0}, "falls, with noise": {0.5, falls, 2}, "one peak": {0.1, peaks, 0}, "the same": {0.1, same, 10}, "constant": {0, same, 0}} {
		if runs := count(c.scatter, c.loss); runs > c.most {
			t.Errorf("%s: a rise in %d of 100 runs, at most %d are chance", what, runs, c.most)
		}
	}
}
