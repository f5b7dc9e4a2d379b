package learn

import (
	"math"
	"testing"
)

func TestParabola(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	c := CalibratedConfig{Lambda0: 0.5, LambdaWSD: 2}.Filled()
	for _, x := range []struct {
		p                   parabola
		calibrated, tracked float64 // of b = 1
	}{
		{parabola{n: 3, l: 1, f: 2, w: 0.5}, 1, 1},       // η* = 1
		{parabola{n: 9, l: 1, f: 2, w: 0.5}, 3, 1.5},     // η* = 3
		{parabola{n: 0.9, l: 1, f: 2, w: 0.5}, 0.3, 0.6}, // η* = 0.3
		{parabola{n: 99, l: 1, f: 2, w: 0.5}, 20, 16.5},
		{parabola{n: 0.03, l: 1, f: 2, w: 0.5}, 0.05, 0.02},
		{parabola{n: 3, l: -5, f: 2, w: 0.5}, 20, 2},
		{parabola{n: -3, l: 1, f: 2, w: 0.5}, 1, 0.5},
		{parabola{n: 0, l: 1, f: 2, w: 0.5}, 1, 0.5},
		{parabola{n: 3, l: inf, f: 2, w: 0.5}, 0.05, nan},
		{parabola{n: 3, l: nan, f: 2, w: 0.5}, 0.05, nan},
	} {
		if got := x.p.calibrated(c, 1); math.Abs(got-x.calibrated) > 1e-12 {
			t.Errorf("%+v: calibrated to %v, want %v", x.p, got, x.calibrated)
		}
		if got := x.p.tracked(c, 1); math.Abs(got-x.tracked) > 1e-12 {
			t.Errorf("%+v: tracked to %v, want %v", x.p, got, x.tracked)
		}
	}
	for _, x := range []struct{ l, f, lambda, want float64 }{
		{1, 2, 0.5, 1}, {1, 2, 3, 2.0 / 7}, {-1, 2, 3, 1.6 / 6.6}, {1, 0, 3, 1}, {0, 0, 3, 1}, {-1, 0, 3, 1},
	} {
		if got := (parabola{l: x.l, f: x.f}).slowdown(c, x.lambda); math.Abs(got-x.want) > 1e-12 {
			t.Errorf("R = %v, want %v for %+v", got, x.want, x)
		}
	}
	if got := c.lambda(1200); math.Abs(got-3.5) > 1e-12 {
		t.Errorf("λ(1200) = %v without a horizon, want 3.5", got)
	}
}
