package schedule

import (
	"math"
	"testing"
)

func TestSchedules(t *testing.T) {
	type values map[int]float64
	for name, c := range map[string]struct {
		schedule Schedule
		want     values
	}{
		"zero value":        {Schedule{}, values{-1: 1, 0: 1, 1000: 1}},
		"constant":          {Constant(), values{-1: 1, 0: 1, 1000: 1}},
		"no milestones":     {StepDecay(0.5), values{0: 1, 1000: 1}},
		"milestones":        {StepDecay(0.5, 10, 20, 20), values{-5: 1, 0: 1, 9: 1, 10: 0.5, 19: 0.5, 20: 0.125, 1000: 0.125}},
		"unordered":         {StepDecay(0.5, 20, 10), values{9: 1, 10: 0.5, 20: 0.25}},
		"milestone 0":       {StepDecay(4, 0), values{-1: 4, 0: 4, 7: 4}},
		"cosine":            {Cosine(8, 0), values{-3: 1, 0: 1, 2: (1 + math.Cos(math.Pi/4)) / 2, 4: 0.5, 6: (1 + math.Cos(3*math.Pi/4)) / 2, 8: 0, 9: 0, math.MaxInt: 0}},
		"cosine to 0.5":     {Cosine(4, 0.5), values{0: 1, 2: 0.75, 4: 0.5, 5: 0.5}},
		"cosine upwards":    {Cosine(4, 2), values{0: 1, 2: 1.5, 4: 2}},
		"one step":          {Cosine(1, 0.25), values{0: 1, 1: 0.25}},
		"warm-up":           {WarmUp(4, Constant()), values{-1: 0.25, 0: 0.25, 1: 0.5, 2: 0.75, 3: 1, 4: 1, 100: 1}},
		"warm-up then":      {WarmUp(2, Cosine(4, 0)), values{0: 0.5, 1: 1, 2: 0.5, 4: 0}},
		"warm-up ignores":   {WarmUp(2, StepDecay(0.5, 0)), values{0: 0.5, 1: 1, 2: 0.5}},
		"no warm-up":        {WarmUp(0, StepDecay(0.5, 0)), values{0: 0.5}},
		"warm-up zero":      {WarmUp(2, Schedule{}), values{0: 0.5, 2: 1}},
		"one point":         {Piecewise(Point{5, 0.5}), values{-1: 0.5, 0: 0.5, 5: 0.5, math.MaxInt: 0.5}},
		"points":            {Piecewise(Point{2, 0.5}, Point{4, 1}, Point{14, 0}), values{-1: 0.5, 0: 0.5, 2: 0.5, 3: 0.75, 4: 1, 9: 0.5, 13: 0.1, 14: 0, 15: 0, math.MaxInt: 0}},
		"far points":        {Piecewise(Point{0, 0}, Point{math.MaxInt, 1}), values{0: 0, 1 << 62: 0.5, math.MaxInt: 1}},
		"large factors":     {Piecewise(Point{0, math.MaxFloat64}, Point{2, math.MaxFloat64}), values{1: math.MaxFloat64}},
		"warm-up, points":   {WarmUp(2, Piecewise(Point{0, 1}, Point{4, 0})), values{0: 0.5, 1: 1, 2: 0.5, 4: 0}},
		"inverse root":      {InverseSqrt(4), values{-1: 0.25, 0: 0.25, 1: 0.5, 3: 1, 15: 0.5, 63: 0.25}},
		"inverse root of 1": {InverseSqrt(1), values{0: 1, 3: 0.5, 99: 0.1}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.schedule.Err(); err != nil {
				t.Fatal(err)
			}
			for step, want := range c.want {
				if got := c.schedule.At(step); math.Abs(got-want) > 1e-15 {
					t.Errorf("step %d: %v, want %v", step, got, want)
				}
			}
		})
	}
	if got := InverseSqrt(1).At(math.MaxInt); !(got > 0 && got < 1e-9) {
		t.Errorf("last step: %v", got)
	}
}

func TestStepDecayCopiesMilestones(t *testing.T) {
	steps := []int{5}
	s := StepDecay(0.5, steps...)
	steps[0] = 0
	if got := s.At(0); got != 1 {
		t.Errorf("%v, want 1", got)
	}
}

func TestPiecewiseCopiesPoints(t *testing.T) {
	points := []Point{{0, 1}, {4, 0}}
	s := Piecewise(points...)
	points[1].Factor = 1
	if got := s.At(2); got != 0.5 {
		t.Errorf("%v, want 0.5", got)
	}
}

func TestInvalidSchedules(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, s := range map[string]Schedule{
		"factor 0":        StepDecay(0, 1),
		"negative factor": StepDecay(-1, 1),
		"NaN factor":      StepDecay(nan, 1),
		"infinite factor": StepDecay(inf, 1),
		"milestone":       StepDecay(0.5, 3, -1),
		"total 0":         Cosine(0, 0),
		"total -1":        Cosine(-1, 0),
		"final -1":        Cosine(1, -1),
		"final NaN":       Cosine(1, nan),
		"final infinite":  Cosine(1, inf),
		"warm-up":         WarmUp(-1, Constant()),
		"passed on":       WarmUp(1, Cosine(0, 0)),
		"no points":       Piecewise(),
		"step -1":         Piecewise(Point{-1, 1}),
		"step again":      Piecewise(Point{0, 1}, Point{3, 1}, Point{3, 0}),
		"steps fall":      Piecewise(Point{3, 1}, Point{2, 0}),
		"point -1":        Piecewise(Point{0, -1}),
		"point NaN":       Piecewise(Point{0, 1}, Point{1, nan}),
		"point infinite":  Piecewise(Point{0, inf}),
		"inverse root 0":  InverseSqrt(0),
		"inverse root -1": InverseSqrt(-1),
	} {
		if s.Err() == nil {
			t.Errorf("%s: no error", name)
		}
		if got := s.At(1); !math.IsNaN(got) {
			t.Errorf("%s: %v, want NaN", name, got)
		}
	}
}
