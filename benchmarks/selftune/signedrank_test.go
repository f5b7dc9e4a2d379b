package selftune

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSignedRankKnownValues(t *testing.T) {
	// Darwin's plants, the usual example: 24 and 96, p = 1352/32768.
	darwin := []float64{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48}
	positive, negative, p, n := SignedRank(darwin)
	if positive != 96 || negative != 24 || n != 15 || math.Abs(p-0.041259765625) > 1e-15 {
		t.Errorf("sums %v and %v of %d, p = %v", positive, negative, n, p)
	}
	for _, c := range []struct {
		d []float64
		p float64
	}{
		{nil, 1},
		{[]float64{0, 0}, 1},
		{[]float64{1, 2, 3, 4, 5}, 2. / 32},
		{[]float64{-1, -2, -3, -4, -5, -6}, 2. / 64},
		{[]float64{0, -1, 2, 3, 4, 5, 0}, 4. / 32},     // a sum of 1: no sign or the first one
		{[]float64{1, -1}, 1},                          // equal sums
		{[]float64{1, 1, 1, 1, -1}, 2 * (1 + 5) / 32.}, // all ranks are 3
		{[]float64{-1, 2, -3, 4, 5, 6, 7, 8, -9, 10}, 2 * 82 / 1024.},
	} {
		if _, _, p, _ := SignedRank(c.d); math.Abs(p-c.p) > 1e-12 {
			t.Errorf("%v: p = %v, want %v", c.d, p, c.p)
		}
	}
}

// p is that of all 2ⁿ signs, ties among them.
func TestSignedRankAgainstAllSigns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 40 {
		d := make([]float64, 2+rng.IntN(9))
		for i := range d {
			d[i] = float64(rng.IntN(9) - 4)
		}
		positive, negative, p, n := SignedRank(d)
		sizes := slices.DeleteFunc(slices.Clone(d), func(x float64) bool { return x == 0 })
		for i, x := range sizes {
			sizes[i] = math.Abs(x)
		}
		ranks, extreme := doubledRanks(sizes), 0
		for signs := range 1 << n {
			sum, all := 0, 0
			for i, r := range ranks {
				all += r
				sum += r * (signs >> i & 1)
			}
			if min(sum, all-sum) <= int(2*min(positive, negative)) {
				extreme++
			}
		}
		if want := float64(extreme) / float64(int(1)<<n); math.Abs(p-want) > 1e-12 {
			t.Errorf("%v: p = %v, want %v", d, p, want)
		}
	}
}

// With many differences the distribution of the sum is close to normal.
func TestSignedRankOfMany(t *testing.T) {
	d := make([]float64, 200)
	for i := range d {
		d[i] = float64(i + 1)
		if i%5 < 2 {
			d[i] = -d[i]
		}
	}
	_, negative, p, _ := SignedRank(d)
	n := 200.0
	z := (negative - n*(n+1)/4 + 0.5) / math.Sqrt(n*(n+1)*(2*n+1)/24)
	if want := math.Erfc(-z / math.Sqrt2); math.Abs(p/want-1) > 0.05 {
		t.Errorf("p = %v, about %v by the normal distribution", p, want)
	}
}

func TestHolm(t *testing.T) {
	for _, c := range []struct{ p, want []float64 }{
		{nil, []float64{}},
		{[]float64{0.03}, []float64{0.03}},
		{[]float64{0.01, 0.04, 0.03, 0.005}, []float64{0.03, 0.06, 0.06, 0.02}},
		{[]float64{0.5, 0.9}, []float64{1, 1}},
	} {
		got := Holm(c.p)
		for i := range c.want {
			if math.Abs(got[i]-c.want[i]) > 1e-15 {
				t.Errorf("Holm(%v) = %v, want %v", c.p, got, c.want)
			}
		}
	}
}
