package apoops

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// TestSampleCategorical counts the classes of many equal rows; one of the logits
// is masked.
func TestSampleCategorical(t *testing.T) {
	const rows = 20000
	logits := []float64{math.Log(0.2), math.Inf(-1), math.Log(0.5), math.Log(0.3), math.Inf(-1)}
	data := make([]float64, 0, rows*len(logits))
	for range rows {
		data = append(data, logits...)
	}
	draws := sampled(t, data, len(logits), NewRandom(3), 0)
	counts := make([]float64, len(logits))
	for _, c := range draws {
		counts[c] += 1.0 / rows
	}
	for i, want := range []float64{0.2, 0, 0.5, 0.3, 0} {
		if math.Abs(counts[i]-want) > 0.015 || want == 0 && counts[i] > 0 { // over four standard errors
			t.Errorf("class %d has the frequency %v, not %v", i, counts[i], want)
		}
	}
	again := sampled(t, data, len(logits), NewRandom(3), 0)
	step := sampled(t, data, len(logits), NewRandom(3), 1)
	seed := sampled(t, data, len(logits), NewRandom(4), 0)
	var sameStep, sameSeed int
	for i, c := range draws {
		if again[i] != c {
			t.Fatal("one seed and step give two samples")
		}
		if step[i] == c {
			sameStep++
		}
		if seed[i] == c {
			sameSeed++
		}
	}
	// Independent draws agree with probability 0.38.
	if sameStep > rows/2 || sameSeed > rows/2 {
		t.Errorf("%d of %d draws are those of another step, %d of another seed", sameStep, rows, sameSeed)
	}
}

func sampled(t *testing.T, data []float64, cols int, noise *Random, step int64) []int {
	t.Helper()
	g := gorgonia.NewGraph()
	z := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("z"), gorgonia.WithShape(len(data)/cols, cols),
		gorgonia.WithValue(tensor.New(tensor.WithShape(len(data)/cols, cols), tensor.WithBacking(data))))
	n, err := SampleCategorical(z, noise)
	if err != nil {
		t.Fatal(err)
	}
	if n.Dtype() != tensor.Int {
		t.Fatalf("the sample is of dtype %v", n.Dtype())
	}
	noise.SetStep(step)
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return append([]int(nil), n.Value().(*tensor.Dense).Ints()...)
}

// TestNormalMoments checks mean, variance and kurtosis.
func TestNormalMoments(t *testing.T) {
	const n = 100000
	var m1, m2, m4 float64
	for i := range n {
		x := normal(17, i)
		m1, m2, m4 = m1+x/n, m2+x*x/n, m4+x*x*x*x/n
	}
	if math.Abs(m1) > 0.015 || math.Abs(m2-1) > 0.02 || math.Abs(m4-3) > 0.15 {
		t.Errorf("moments %v, %v, %v", m1, m2, m4)
	}
}

func TestSampleWithoutNoise(t *testing.T) {
	z := gorgonia.NewMatrix(gorgonia.NewGraph(), tensor.Float64, gorgonia.WithName("z"), gorgonia.WithShape(2, 2))
	for name, sample := range map[string]func(*gorgonia.Node, *Random) (*gorgonia.Node, error){
		"categorical": SampleCategorical, "bernoulli": SampleBernoulli, "normal": SampleNormal,
		"probe categorical": ProbeCategorical, "probe bernoulli": ProbeBernoulli, "probe squared": ProbeSquared,
	} {
		if _, err := sample(z, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestProbesOfExtremeLogits: classes of probability 0 have no direction, certain ones
// none either, and nothing overflows.
func TestProbesOfExtremeLogits(t *testing.T) {
	inf := math.Inf(1)
	z := tensor.New(tensor.WithShape(3, 3), tensor.WithBacking([]float64{1, -inf, 1, 900, 0, -900, -inf, -inf, -inf}))
	for name, probe := range map[string]func(*gorgonia.Node, *Random) (*gorgonia.Node, error){"categorical": ProbeCategorical, "bernoulli": ProbeBernoulli} {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			tc := opTest{name: name, build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return probe(in[0], NewRandom(1)) }}
			q, _ := tc.evaluate(t, []*tensor.Dense{z}, dt, z, false)
			for i, v := range q {
				if math.IsNaN(v) || math.Abs(v) > 1 || name == "categorical" && i == 4 && v != 0 || i != 0 && i != 2 && i != 4 && math.Abs(v) > 1e-6 {
					t.Errorf("%s of %v: %v", name, dt, q)
				}
			}
		}
	}
}

// TestProbeCategoricalEqualsItsFormula computes q number by number, of a long row of logits
// and of some that are far apart.
func TestProbeCategoricalEqualsItsFormula(t *testing.T) {
	const rows, cols = 3, 333
	z := make([]float64, rows*cols)
	for i := range z {
		z[i] = math.Sin(float64(i)) * []float64{1, 20, 200}[i/cols]
	}
	noise := NewRandom(5)
	key := noise.key(0)
	want := make([]float64, len(z))
	for i := range rows {
		from := i * cols
		var sum, dot float64
		for _, v := range z[from : from+cols] {
			sum += math.Exp(v)
		}
		for pass := range 2 {
			for j, v := range z[from : from+cols] {
				p := math.Exp(v) / sum
				e := float64(2*int(simd.Scramble(key+uint64(from+j)*simd.Golden)>>63)-1) / math.Sqrt(rows)
				if pass == 0 {
					dot += math.Sqrt(p) * e
				} else {
					want[from+j] = math.Sqrt(p)*e - p*dot
				}
			}
		}
	}
	logits := tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(z))
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		tc := opTest{name: "probe", build: func(in gorgonia.Nodes) (*gorgonia.Node, error) { return ProbeCategorical(in[0], NewRandom(5)) }}
		got, _ := tc.evaluate(t, []*tensor.Dense{logits}, dt, logits, false)
		tolerance := map[tensor.Dtype]float64{tensor.Float32: 1e-5, tensor.Float64: 1e-13}[dt]
		for i, v := range got {
			if !(math.Abs(v-want[i]) <= tolerance*(math.Abs(want[i])+1e-3)) {
				t.Fatalf("%v: element %d is %v, not %v", dt, i, v, want[i])
			}
		}
	}
}
