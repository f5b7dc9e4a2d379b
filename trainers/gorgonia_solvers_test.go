package trainers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/arraytest"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// gorgoniasSolvers pairs Gorgonia's solvers with the rules that stand for them,
// and says how far weights may be apart, relative to the distance that they have
// moved at most: 0 for not a bit.
var gorgoniasSolvers = []struct {
	name     string
	theirs   func() gorgonia.Solver
	ours     Optimizer
	f32, f64 float64
}{
	{"vanilla", func() gorgonia.Solver { return gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.03)) }, SGD(0.03), 0, 0},
	{"vanilla, L2", func() gorgonia.Solver {
		return gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.03), gorgonia.WithL2Reg(0.01))
	}, &rule.SGDConfig{LR: 0.03, WeightDecay: 0.01}, 0, 0},
	// The gradient and the penalty are divided by 32.
	{"vanilla, batch", func() gorgonia.Solver {
		return gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.32), gorgonia.WithBatchSize(32), gorgonia.WithL2Reg(0.01))
	}, &rule.SGDConfig{LR: 0.32 / 32, WeightDecay: 0.01}, 0, 0},
	// Gorgonia's velocity is μ·v - η·g, ours μ·m + g: scaled by a power of two
	// they round alike.
	{"momentum, power of two", func() gorgonia.Solver { return gorgonia.NewMomentum(gorgonia.WithLearnRate(1. / 64)) }, SGDm(1. / 64), 0, 0},
	{"momentum", func() gorgonia.Solver { return gorgonia.NewMomentum(gorgonia.WithLearnRate(0.03)) }, SGDm(0.03), 5e-7, 2e-15},
	// m̂/(√v̂+ε) with the factors in another order; in float32 Gorgonia takes
	// 1-β2 from β2 rounded to float32, which is 1.3e-5 too small for 0.999.
	{"adam", func() gorgonia.Solver { return gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.03)) }, Adam(0.03), 2e-5, 2e-15},
	{"adam, L2", func() gorgonia.Solver {
		return gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.03), gorgonia.WithL2Reg(0.1), gorgonia.WithBeta1(0.8), gorgonia.WithBeta2(0.5), gorgonia.WithEps(0.1))
	}, &rule.AdamConfig{LR: 0.03, Beta1: 0.8, Beta2: 0.5, Eps: 0.1, WeightDecay: 0.1}, 5e-7, 2e-15},
	// g/√(v+ε) against g/(√v+ε): one formula at ε = 0.
	{"rmsprop, no ε", func() gorgonia.Solver {
		return gorgonia.NewRMSPropSolver(gorgonia.WithLearnRate(0.03), gorgonia.WithRho(0.99), gorgonia.WithEps(0))
	}, &rule.RMSpropConfig{LR: 0.03, Decay: 0.99}, 5e-7, 2e-15},
}

// TestK0EqualsGorgoniasSolvers steps both along the same gradients.
func TestK0EqualsGorgoniasSolvers(t *testing.T) {
	for _, c := range gorgoniasSolvers {
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			t.Run(fmt.Sprintf("%s/%v", c.name, dt), func(t *testing.T) {
				within := c.f64
				if dt == tensor.Float32 {
					within = c.f32
				}
				far := followGorgonia(t, dt, c.theirs(), c.ours)
				if fused := arraytest.FusesMultiplyAdd[float64](); far > within && !(fused && far < 1e-6) {
					t.Errorf("weights are %.2g apart, want %v", far, within)
				}
			})
		}
	}
}

// followGorgonia takes 20 steps with both and returns how far the weights are
// apart, relative to how far any has moved.
func followGorgonia(t *testing.T, dt tensor.Dtype, theirs gorgonia.Solver, ours Optimizer) float64 {
	t.Helper()
	p := &plainGraph{g: gorgonia.NewGraph(), dt: dt, rng: rand.New(rand.NewPCG(5, 1))}
	// The gradient is x, whatever the weights are.
	x, w := p.leaf("x", 37, 3), p.param("w", 37, 3)
	cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(w, x))))
	solver, err := Wrap(graph.Problem{Cost: cost, Params: p.params}, ours, EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gorgonia.Grad(cost, w); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(p.g, gorgonia.BindDualValues(w))
	defer vm.Close()
	initial := w.Value().(*tensor.Dense).Clone().(*tensor.Dense)
	moved := initial.Clone().(*tensor.Dense)
	other := twin{value: moved}
	for range 20 {
		draw := tensorOf(dt, normals(p.rng, 37*3), 37, 3)
		if err := gorgonia.Let(x, draw); err != nil {
			t.Fatal(err)
		}
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		other.grad = draw.Clone().(*tensor.Dense)
		if err := theirs.Step([]gorgonia.ValueGrad{other}); err != nil {
			t.Fatal(err)
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(p.params)); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
	}
	got, want, from := numbers(w.Value().(*tensor.Dense)), numbers(moved), numbers(initial)
	apart, way := 0.0, 0.0
	for i := range got {
		apart, way = max(apart, math.Abs(got[i]-want[i])), max(way, math.Abs(want[i]-from[i]))
	}
	if !(way > 0.01) {
		t.Fatalf("the weights have moved by %v", way)
	}
	return apart / way
}

// numbers are the elements as float64.
func numbers(t *tensor.Dense) []float64 {
	if t.Dtype() == tensor.Float64 {
		return t.Float64s()
	}
	v := make([]float64, t.DataSize())
	for i, x := range t.Float32s() {
		v[i] = float64(x)
	}
	return v
}

func identical[T apoops.Float](t *testing.T, what string, step int, got, want []T) {
	t.Helper()
	if i := arraytest.FirstDifference(got, want); i >= 0 {
		t.Fatalf("%s, step %d, %d elements: element %d is %v, want %v", what, step, len(want), i, got[i], want[i])
	}
}
