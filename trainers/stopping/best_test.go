package stopping

import (
	"encoding/json"
	"math"
	"testing"
)

// TestBest goes through series of values; the run stops after the one at stop.
func TestBest(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		best     *Best
		values   []float64
		at, stop int
	}{
		"lowest":          {Lowest(2), []float64{3, 2, 2.5, 2.4, 1}, 2, 4},
		"highest":         {Highest(2), []float64{0.5, 0.7, 0.6, 0.8, 0.8, 0.8, 0.9}, 4, 6},
		"equal":           {Lowest(3), []float64{1, 1, 1, 1}, 1, 4},
		"least change":    {&Best{Patience: 2, MinChange: 0.5}, []float64{3, 2.6, 2.4, 2.3, 2.2, 1}, 3, 5},
		"NaN":             {Lowest(2), []float64{3, nan, 2, nan, inf}, 3, 5},
		"NaN at first":    {Highest(2), []float64{nan, math.Inf(-1)}, 0, 2},
		"infinite":        {Lowest(3), []float64{2, math.Inf(-1), 1, 3, inf, nan}, 3, 6},
		"infinite, high":  {Highest(2), []float64{inf, 0.5, inf, inf}, 2, 4},
		"no end":          {Lowest(0), []float64{1, 2, 3, 4}, 1, 0},
		"below 0, larger": {Highest(1), []float64{-3, -2, -4}, 2, 3},
	} {
		stop := 0
		for i, v := range c.values {
			before := *c.best
			if improved := c.best.See(v); improved != (c.best.At == i+1) || !improved && (c.best.At != before.At || c.best.Value != before.Value) {
				t.Errorf("%s: value %d: improved %v, best at %d", name, i, improved, c.best.At)
			}
			if c.best.Stop() {
				stop = i + 1
				break
			}
		}
		if c.best.At != c.at || stop != c.stop || c.at > 0 && c.best.Value != c.values[c.at-1] {
			t.Errorf("%s: best %v at %d, stops at %d", name, c.best.Value, c.best.At, stop)
		}
	}
}

// TestResumes: what JSON has goes on alike.
func TestResumes(t *testing.T) {
	b := &Best{Patience: 3, MinChange: 0.1, Larger: true}
	values := []float64{1, 2, 2.05, 1, 2.2, 2, 2, 2}
	var other *Best
	for i, v := range values {
		improved := b.See(v)
		if i > 3 && (other.See(v) != improved || other.Stop() != b.Stop()) {
			t.Errorf("value %d differs", i)
		}
		if i == 3 {
			text, err := json.Marshal(b)
			if err != nil {
				t.Fatal(err)
			}
			other = new(Best)
			if err := json.Unmarshal(text, other); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !b.Stop() || *other != *b {
		t.Errorf("%+v and %+v", b, other)
	}
}

func TestCheck(t *testing.T) {
	for _, b := range []*Best{{Patience: -1}, {MinChange: -1}, {MinChange: math.NaN()}, {MinChange: math.Inf(1)}, {At: 2, Seen: 1}, {At: -1}} {
		if b.Check() == nil {
			t.Errorf("%+v passes", b)
		}
	}
	if err := Highest(3).Check(); err != nil {
		t.Error(err)
	}
}
