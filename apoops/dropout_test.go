package apoops

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// maskOf returns 1 where the mask of n elements keeps one and 0 elsewhere.
func maskOf(t *testing.T, n int, rate float64, masks *Random, stream uint64) []float64 {
	t.Helper()
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	x := inputNode(gorgonia.NewGraph(), tensor.New(tensor.WithShape(n), tensor.WithBacking(ones)), tensor.Float64, "x")
	node, err := Dropout(x, rate, masks, stream)
	if err != nil {
		t.Fatal(err)
	}
	v, err := node.Op().Do(x.Value())
	if err != nil {
		t.Fatal(err)
	}
	y := floats(v)
	for i, v := range y {
		if v != 0 && v != 1/(1-rate) {
			t.Fatalf("element %d of ones became %v at rate %v", i, v, rate)
		}
		y[i] = v * (1 - rate)
	}
	return y
}

func dropoutNode(rate float64, masks *Random, stream uint64) func(gorgonia.Nodes) (*gorgonia.Node, error) {
	return func(in gorgonia.Nodes) (*gorgonia.Node, error) { return Dropout(in[0], rate, masks, stream) }
}

// TestDropoutOfParts: a Part has the masks of its examples, those that SetFirst moves it to
// too; a source of all examples stays.
func TestDropoutOfParts(t *testing.T) {
	const examples, each, rate = 6, 50, 0.3
	all := maskOf(t, examples*each, rate, NewRandom(7), 2)
	whole := NewRandom(7)
	part := whole.Part(1, 2)
	for _, first := range []int{1, 4, 0} {
		part.SetFirst(first)
		if !slices.Equal(maskOf(t, 2*each, rate, part, 2), all[first*each:][:2*each]) {
			t.Errorf("examples from %d on have other masks than in the whole batch", first)
		}
	}
	whole.SetFirst(3)
	if !slices.Equal(maskOf(t, examples*each, rate, whole, 2), all) {
		t.Error("a source of all examples has moved")
	}
}

func TestDropoutStatistics(t *testing.T) {
	const n = 100003
	masks := NewRandom(7)
	for _, rate := range []float64{0.01, 0.1, 0.5, 0.9} {
		// Every pair differs in the seed, the stream or the step alone.
		masks.SetStep(0)
		base := maskOf(t, n, rate, masks, 0)
		others := [][]float64{maskOf(t, n, rate, masks, 1), maskOf(t, n, rate, NewRandom(8), 0)}
		masks.SetStep(1)
		others = append(others, maskOf(t, n, rate, masks, 0), maskOf(t, n, rate, masks, 1))
		others = append(others, append(slices.Clone(base[1:]), base[0])) // and neighbours
		sigma := math.Sqrt(rate * (1 - rate) / n)
		for _, m := range append(others, base) {
			var mean float64
			for _, v := range m {
				mean += v / n
			}
			if math.Abs(mean-(1-rate)) > 5*sigma {
				t.Fatalf("rate %v: %v of the elements are kept, more than 5σ off", rate, mean)
			}
		}
		for i, m := range others {
			var covariance float64
			for j, v := range m {
				covariance += (v - 1 + rate) * (base[j] - 1 + rate) / n
			}
			if correlation := covariance / (rate * (1 - rate)); math.Abs(correlation) > 5/math.Sqrt(n) {
				t.Fatalf("rate %v: mask %d has correlation %v with the base", rate, i, correlation)
			}
		}
	}
}

// TestDropoutMaskIsAFunction builds the same mask in several graphs, forwards
// and backwards.
func TestDropoutMaskIsAFunction(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 1))
	x, c := randn(rng, 3, 7000), randn(rng, 3, 7000)
	masks := NewRandom(42)
	const rate = 0.3
	tc := opTest{name: "dropout", build: dropoutNode(rate, masks, 5), wrt: []int{0}}
	last := make([]float64, 0)
	for _, step := range []int64{0, 1, -1, 1 << 40} {
		masks.SetStep(step)
		if masks.Step() != step {
			t.Fatalf("step %d, want %d", masks.Step(), step)
		}
		mask := maskOf(t, 21000, rate, masks, 5)
		if slices.Equal(mask, last) {
			t.Fatalf("step %d has the mask of the step before", step)
		}
		last = mask
		for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
			y, d := tc.evaluate(t, []*tensor.Dense{x}, dt, c, true)
			for i, m := range mask {
				compare(t, "value", y[i:i+1], []float64{m / (1 - rate) * x.Float64s()[i]}, 1e-6)
				compare(t, "gradient", d[0][i:i+1], []float64{m / (1 - rate) * c.Float64s()[i]}, 1e-6)
			}
		}
	}
}

func TestDropoutGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 2))
	for _, s := range [][]int{{7}, {3, 4}, {2, 3, 4}, {}} {
		for _, rate := range []float64{0, 0.5} {
			opTest{name: "dropout", build: dropoutNode(rate, NewRandom(3), 0), inputs: []*tensor.Dense{randn(rng, s...)}, wrt: []int{0}}.run(t)
		}
	}
}

// TestDropoutOfInfinities: what is dropped is 0, whatever it was.
func TestDropoutOfInfinities(t *testing.T) {
	x := make([]float64, 1000)
	for i := range x {
		x[i] = inf
	}
	y := make([]float64, len(x))
	simd.DropOut(y, x, 1, 1<<63, 2)
	var zeros int
	for _, v := range y {
		if v == 0 {
			zeros++
		} else if v != inf {
			t.Fatalf("an infinity became %v", v)
		}
	}
	if zeros < 400 || zeros > 600 {
		t.Fatalf("%d of 1000 dropped at rate 0.5", zeros)
	}
}

func TestDropoutRefusesSettings(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(4), gorgonia.WithName("x"))
	for _, rate := range []float64{-0.1, 1, 2, math.NaN(), inf} {
		if _, err := Dropout(x, rate, NewRandom(1), 0); err == nil {
			t.Fatalf("rate %v was accepted", rate)
		}
	}
	if _, err := Dropout(x, 0.5, nil, 0); err == nil {
		t.Fatal("no masks were accepted")
	}
	if _, err := Dropout(nil, 0.5, NewRandom(1), 0); err == nil {
		t.Fatal("no x was accepted")
	}
}
