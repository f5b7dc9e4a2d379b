package apoops

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// sampledMoment runs SampledInputMoment of n patches at some steps.
func sampledMoment(t *testing.T, x *tensor.Dense, c Conv, n int, source *Random, steps []int64, see func(moment []float64)) {
	t.Helper()
	g := gorgonia.NewGraph()
	shape := x.Shape()
	oh, ow := c.OutSize(shape[2], shape[3])
	s := inputNode(g, tensor.New(tensor.WithShape(shape[0], 1, oh, ow), tensor.Of(tensor.Float64)), tensor.Float64, "s")
	f := Factors{A: inputNode(g, x, tensor.Float64, "x"), S: s, Conv: &c, Bias: !c.NoBias}
	var v gorgonia.Value
	gorgonia.Read(gorgonia.Must(SampledInputMoment(f, PatchSample{n, shape[0], source, 3}, nil)), &v)
	vm := gorgonia.NewTapeMachine(g)
	runtime.SetFinalizer(vm, nil)
	defer vm.Close()
	for _, step := range steps {
		source.SetStep(step)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
		see(floats(v))
	}
}

// momentOf is times the sum over patches of their outer products, by the definition.
func momentOf(x *tensor.Dense, c Conv, patches []int, times float64) (sum []float64) {
	shape := x.Shape()
	oh, ow := c.OutSize(shape[2], shape[3])
	for _, p := range patches {
		a := patchAt(x, shape, c, p/(oh*ow), p%(oh*ow)/ow, p%ow)
		if sum == nil {
			sum = make([]float64, len(a)*len(a))
		}
		for r, v := range a {
			for q, u := range a {
				sum[r*len(a)+q] += times * u * v
			}
		}
	}
	return sum
}

// TestSampledMomentIsThatOfChosenPatches compares with the definition, for more patches
// than are gathered at once.
func TestSampledMomentIsThatOfChosenPatches(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 9))
	x := randn(rng, 90, 2, 9, 7)
	for _, noBias := range []bool{false, true} {
		for _, n := range []int{1, 100, 2500} {
			c := evenConv(3, 1, 1, 1).filled()
			c.NoBias = noBias
			source := NewRandom(8)
			steps := []int64{1, 2, 1}
			var all [][]float64
			sampledMoment(t, x, c, n, source, steps, func(m []float64) { all = append(all, slices.Clone(m)) })
			for i, step := range steps {
				source.SetStep(step)
				chosen := (&PatchSample{n, 90, source, 3}).choose(nil, 90, 63)
				compare(t, "Ā", all[i], momentOf(x, c, chosen, 63/float64(n)), 1e-11)
			}
			if slices.Equal(all[0], all[1]) || !slices.Equal(all[0], all[2]) {
				t.Errorf("%d patches: not those of the step", n)
			}
		}
	}
}

// TestSampledMomentIsUnbiased has the mean over many draws within five standard errors of
// the moment of all patches, and each patch drawn as often as any other.
func TestSampledMomentIsUnbiased(t *testing.T) {
	const draws, n, total = 4000, 5, 3 * 20
	x := randn(rand.New(rand.NewPCG(5, 10)), 3, 1, 5, 4)
	c := evenConv(3, 1, 1, 1).filled()
	source := NewRandom(9)
	steps, often := make([]int64, draws), make([]float64, total)
	for i := range steps {
		steps[i] = int64(i)
		source.SetStep(int64(i))
		chosen := (&PatchSample{n, 3, source, 3}).choose(nil, 3, 20)
		if len(chosen) != n || !slices.IsSorted(chosen) || len(slices.Compact(slices.Clone(chosen))) != n {
			t.Fatalf("chosen %v", chosen)
		}
		for _, p := range chosen {
			often[p]++
		}
	}
	expected := float64(draws*n) / total
	for p, v := range often {
		if math.Abs(v-expected) > 5*math.Sqrt(expected) {
			t.Errorf("patch %d is drawn %v times, expected %v", p, v, expected)
		}
	}
	all := make([]int, total)
	for i := range all {
		all[i] = i
	}
	want := momentOf(x, c, all, 1.0/3)
	sum, squares := make([]float64, len(want)), make([]float64, len(want))
	sampledMoment(t, x, c, n, source, steps, func(m []float64) {
		for i, v := range m {
			sum[i] += v / draws
			squares[i] += v * v / draws
		}
	})
	for i, v := range want {
		e := math.Sqrt(max(0, squares[i]-sum[i]*sum[i]) / draws)
		if math.Abs(sum[i]-v) > 5*e+1e-9 {
			t.Errorf("element %d: mean %v ± %v, want %v", i, sum[i], e, v)
		}
	}
}
