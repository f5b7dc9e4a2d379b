package live

import (
	"math"
	"testing"
	"time"
)

// TestCurve compares the means of runs of any length with sums.
func TestCurve(t *testing.T) {
	for _, n := range []int{0, 1, 7, 255, 256, 257, 511, 512, 1000, 4097} {
		var c curve
		for i := range n {
			c.add(float64(i * i))
		}
		values, at := c.values(), 0
		if len(values) > mostBins || n > 0 && len(values) < min(n, mostBins/2) {
			t.Errorf("%d values: %d means", n, len(values))
		}
		for _, got := range values {
			sum, size := 0.0, min(c.per, n-at)
			for i := at; i < at+size; i++ {
				sum += float64(i * i)
			}
			if want := sum / float64(size); math.Abs(got-want) > 1e-9*want {
				t.Fatalf("%d values: mean from %d on is %v, want %v", n, at, got, want)
			}
			at += size
		}
		if at != n {
			t.Errorf("means of %d of %d values", at, n)
		}
	}
}

func TestSparkline(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, test := range []struct {
		values []float64
		width  int
		want   string
	}{
		{nil, 5, ""},
		{[]float64{3}, 5, "▁"},
		{[]float64{2, 2, 2}, 5, "▁▁▁"},
		{[]float64{1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7}, 8, "▁▂▃▄▅▆▇█"}, // logarithmic
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█"},               // not so with 0
		{[]float64{-3, 4}, 8, "▁█"},
		{[]float64{1, nan, inf, 2, -inf}, 8, "▁××█×"},
		{[]float64{nan, nan}, 8, "××"},
		{[]float64{-math.MaxFloat64, 0, math.MaxFloat64}, 8, "▁▅█"},
		{[]float64{math.SmallestNonzeroFloat64, math.MaxFloat64}, 8, "▁█"},
		{[]float64{0, 0, 2, 2, 4, 4}, 3, "▁▅█"}, // means of pairs
		{[]float64{1, 2, 3}, 0, ""},
		{[]float64{1, 2, 3}, -4, ""},
	} {
		if got := sparkline(test.values, test.width); got != test.want {
			t.Errorf("%v in %d characters: %q, want %q", test.values, test.width, got, test.want)
		}
	}
}

func TestPace(t *testing.T) {
	var p pace
	at := time.Unix(1_700_000_000, 0)
	if p.perStep() != 0 {
		t.Error("a pace without steps")
	}
	// A first step that builds graphs, a thousand slow ones and then fast ones.
	p.add(at, 0)
	if p.perStep() != 0 || p.left(at, 0, 10) != -1 {
		t.Error("a pace after one step")
	}
	step := 0
	run := func(n int, each time.Duration) {
		for range n {
			step++
			at = at.Add(each)
			p.add(at, step)
		}
	}
	run(1000, 50*time.Millisecond)
	if got := p.perStep(); got != 50*time.Millisecond {
		t.Errorf("%v a step", got)
	}
	run(10_000, 2*time.Millisecond)
	if got := p.perStep(); got < 2*time.Millisecond || got > 2100*time.Microsecond || len(p.recent) > 110 {
		t.Errorf("%v a step of the last, %d marks", got, len(p.recent))
	}
	// 70 s for 11 000 steps: 7 s for 1100 more.
	if got := p.left(at, step, 1100); got.Round(time.Microsecond) != 7*time.Second {
		t.Errorf("%v left", got)
	}
	p.pause()
	at = at.Add(time.Minute)
	run(2, time.Second)
	if got := p.perStep(); got != time.Second {
		t.Errorf("%v a step after a pause", got)
	}
	if got := p.left(at, step, math.MaxInt); got != math.MaxInt64 {
		t.Errorf("%v left of a run without end", got)
	}
}

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 400 * time.Millisecond: "0 s", 59 * time.Second: "59 s", 59700 * time.Millisecond: "1 min 00 s", 200 * time.Second: "3 min 20 s",
		time.Hour: "1 h 00 min", 47*time.Hour + 59*time.Minute: "47 h 59 min", 75 * time.Hour: "3 d 03 h",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
