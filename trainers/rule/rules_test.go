package rule

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/arraytest"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// naive is an update rule at one element, as its formula says: it advances the
// element's state s and returns the direction.
type naive[T apoops.Float] func(t int, w, g T, s *[2]T) T

func naiveSGD[T apoops.Float](c SGDConfig) naive[T] {
	mu, decay := T(c.Momentum), T(c.WeightDecay)
	return func(_ int, w, g T, s *[2]T) T {
		if decay != 0 {
			g += decay * w
		}
		if mu == 0 {
			return g
		}
		s[0] = mu*s[0] + g
		if c.Nesterov {
			return g + mu*s[0]
		}
		return s[0]
	}
}

func naiveRMSprop[T apoops.Float](c RMSpropConfig) naive[T] {
	beta, keep := T(c.Decay), T(1-c.Decay)
	return func(t int, w, g T, s *[2]T) T {
		if c.WeightDecay != 0 {
			g += T(c.WeightDecay) * w
		}
		root := T(1)
		if c.BiasCorrection {
			root = 1 / T(math.Sqrt(1-math.Pow(c.Decay, float64(t))))
		}
		s[0] = beta*s[0] + keep*g*g
		d := g / (T(math.Sqrt(float64(s[0])))*root + T(c.Eps))
		if c.Momentum == 0 {
			return d
		}
		s[1] = T(c.Momentum)*s[1] + d
		return s[1]
	}
}

func naiveAdam[T apoops.Float](c AdamConfig) naive[T] {
	decay := T(c.WeightDecay)
	return func(t int, w, g T, s *[2]T) T {
		if !c.Decoupled && decay != 0 {
			g += decay * w
		}
		first := 1 / T(1-math.Pow(c.Beta1, float64(t)))
		root := 1 / T(math.Sqrt(1-math.Pow(c.Beta2, float64(t))))
		s[0] = T(c.Beta1)*s[0] + T(1-c.Beta1)*g
		s[1] = T(c.Beta2)*s[1] + T(1-c.Beta2)*g*g
		d := s[0] * first / (T(math.Sqrt(float64(s[1])))*root + T(c.Eps))
		if c.Decoupled {
			d += decay * w
		}
		return d
	}
}

func naiveNAdamW[T apoops.Float](c NAdamWConfig) naive[T] {
	var average, fresh, root T
	at := 0
	return func(t int, w, g T, s *[2]T) T {
		if t != at { // they are the same for all elements
			at = t
			product := 1.0
			for k := 1; k <= t; k++ {
				product *= c.momentum(k)
			}
			next := c.momentum(t + 1)
			average, fresh = T(next/(1-product*next)), T((1-c.momentum(t))/(1-product))
			root = T(1 / math.Sqrt(1-math.Pow(c.Beta2, float64(t))))
		}
		s[0] = T(c.Beta1)*s[0] + T(1-c.Beta1)*g
		s[1] = T(c.Beta2)*s[1] + T(1-c.Beta2)*g*g
		d := (average*s[0] + fresh*g) / (T(math.Sqrt(float64(s[1])))*root + T(c.Eps))
		return d + T(c.WeightDecay)*w
	}
}

// ruleCase is an optimizer with its naive twins.
type ruleCase struct {
	name string
	o    Optimizer
	f32  naive[float32]
	f64  naive[float64]
}

func sgdCase(name string, c SGDConfig) ruleCase {
	return ruleCase{name, &c, naiveSGD[float32](c), naiveSGD[float64](c)}
}

func rmspropCase(name string, c RMSpropConfig) ruleCase {
	return ruleCase{name, &c, naiveRMSprop[float32](c), naiveRMSprop[float64](c)}
}

func adamCase(name string, c AdamConfig) ruleCase {
	return ruleCase{name, &c, naiveAdam[float32](c), naiveAdam[float64](c)}
}

func ruleCases() []ruleCase {
	return []ruleCase{
		sgdCase("sgd", SGDConfig{LR: 0.1}),
		sgdCase("sgd decay", SGDConfig{LR: 0.1, WeightDecay: 0.01}),
		sgdCase("sgdm", SGDConfig{LR: 0.1, Momentum: 0.9}),
		sgdCase("sgdm decay", SGDConfig{LR: 0.1, Momentum: 0.9, WeightDecay: 0.01}),
		sgdCase("nesterov", SGDConfig{LR: 0.1, Momentum: 0.9, Nesterov: true}),
		sgdCase("nesterov decay", SGDConfig{LR: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 0.01}),
		rmspropCase("rmsprop", RMSpropConfig{LR: 0.1, Decay: 0.99, Eps: 1e-8}),
		rmspropCase("rmsprop corrected", RMSpropConfig{LR: 0.1, Decay: 0.99, Eps: 1e-8, BiasCorrection: true}),
		rmspropCase("rmsprop momentum", RMSpropConfig{LR: 0.1, Decay: 0.9, Eps: 1e-4, Momentum: 0.9}),
		rmspropCase("rmsprop all", RMSpropConfig{LR: 0.1, Decay: 0.9, Eps: 1e-4, Momentum: 0.9, BiasCorrection: true, WeightDecay: 0.01}),
		adamCase("adam", AdamConfig{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}),
		adamCase("adam decay", AdamConfig{LR: 0.1, Beta1: 0.8, Beta2: 0.98, Eps: 1e-4, WeightDecay: 0.01}),
		{"nadamw", NAdamW(0.1), naiveNAdamW[float32](*NAdamW(0.1)), naiveNAdamW[float64](*NAdamW(0.1))},
		adamCase("adamw", AdamConfig{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01, Decoupled: true}),
	}
}

// ruleLengths are parameters around the length of a block and far above.
var ruleLengths = []int{1, elementBlock - 1, elementBlock, elementBlock + 1, 100003}

// drawn makes parameters of ruleLengths, or arrays like them.
func drawn[T apoops.Float](rng *rand.Rand) []*tensor.Dense {
	all := make([]*tensor.Dense, len(ruleLengths))
	for i, n := range ruleLengths {
		x := make([]T, n)
		for j := range x {
			x[j] = T(rng.NormFloat64())
		}
		all[i] = denseOf(x, n)
	}
	return all
}

// startRule starts the rule on copies of the weights.
func startRule(t *testing.T, o Optimizer, weights []*tensor.Dense) ([]*graph.Param, Rule) {
	t.Helper()
	params := make([]*graph.Param, len(weights))
	for i, w := range weights {
		params[i] = &graph.Param{Name: string(rune('a' + i)), Value: w.Clone().(*tensor.Dense)}
	}
	r, err := o.Start(&Task{Params: params})
	if err != nil {
		t.Fatal(err)
	}
	return params, r
}

// TestRulesEqualNaive compares the fused kernels, with and without explicit
// directions, with the formulas applied element by element.
func TestRulesEqualNaive(t *testing.T) {
	t.Parallel()
	for _, c := range ruleCases() {
		t.Run(c.name+"/float32", func(t *testing.T) { equalsNaive(t, c.o, c.f32) })
		t.Run(c.name+"/float64", func(t *testing.T) { equalsNaive(t, c.o, c.f64) })
	}
}

func equalsNaive[T apoops.Float](t *testing.T, o Optimizer, element naive[T]) {
	steps := 20
	if raceEnabled {
		steps = 2
	}
	rng := rand.New(rand.NewPCG(5, 6))
	start := drawn[T](rng)
	fused, fusedRule := startRule(t, o, start)
	split, splitRule := startRule(t, o, start)
	state := make([][][2]T, len(start))
	for i, n := range ruleLengths {
		state[i] = make([][2]T, n)
	}
	rates := make([]float64, len(start))
	for step := 1; step <= steps; step++ {
		g := drawn[T](rng)
		for i := range rates {
			rates[i] = 0.1 * float64(i+1) / float64(step)
		}
		if err := fusedRule.Fused().Step(Input{T: step, G: g}, rates); err != nil {
			t.Fatal(err)
		}
		d, err := splitRule.Directions(Input{T: step, G: g})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range split {
			w, dir, rate := apoops.Elements[T](p.Value), apoops.Elements[T](d[i]), T(rates[i])
			for j := range w {
				w[j] -= rate * dir[j]
			}
			identical(t, "fused against split", step, apoops.Elements[T](fused[i].Value), w)
		}
		for i, s := range start { // the naive twin moves start itself
			w, grad, rate := apoops.Elements[T](s), apoops.Elements[T](g[i]), T(rates[i])
			for j := range w {
				w[j] -= rate * element(step, w[j], grad[j], &state[i][j])
			}
			if !arraytest.FusesMultiplyAdd[T]() {
				identical(t, "fused against naive", step, apoops.Elements[T](fused[i].Value), w)
			}
		}
	}
}

func identical[T apoops.Float](t *testing.T, what string, step int, got, want []T) {
	t.Helper()
	if i := arraytest.FirstDifference(got, want); i >= 0 {
		t.Fatalf("%s, step %d, %d elements: element %d is %v, want %v", what, step, len(want), i, got[i], want[i])
	}
}

func TestRulesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop entries")
	}
	for _, c := range ruleCases() {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 8))
			params, r := startRule(t, c.o, drawn[float32](rng))
			g, rates := drawn[float32](rng), make([]float64, len(params))
			step := 0
			for name, take := range map[string]func() error{
				"fused": func() error { return r.Fused().Step(Input{T: step, G: g}, rates) },
				"directions": func() error {
					_, err := r.Directions(Input{T: step, G: g})
					return err
				},
			} {
				run := func() {
					step++
					if err := take(); err != nil {
						t.Fatal(err)
					}
				}
				run()
				if n := testing.AllocsPerRun(50, run); n != 0 {
					t.Errorf("%s: %v allocations a step", name, n)
				}
			}
		})
	}
}

func TestRuleNamesGradientThatDoesNotFit(t *testing.T) {
	for name, g := range map[string]*tensor.Dense{
		"length": denseOf(make([]float32, 3), 3),
		"dtype":  denseOf(make([]float64, 4), 4),
	} {
		r, err := Adam(0.1).Start(&Task{Params: []*graph.Param{{Name: "fc1", Value: denseOf(make([]float32, 4), 4)}}})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Fused().Step(Input{T: 1, G: []*tensor.Dense{g}}, []float64{0.1})
		if err == nil || !strings.Contains(err.Error(), `"fc1"`) {
			t.Errorf("%s: error %v does not name the parameter", name, err)
		}
	}
}

func denseOf[T any](x []T, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
}

// unkind names more kinds than it has moments.
type unkind[T apoops.Float] struct{ sgd[T] }

func (*unkind[T]) Moments() []string { return []string{"a"} }

func (*unkind[T]) Kinds() []precision.Kind {
	return []precision.Kind{precision.Momentum, precision.SecondMoments}
}

func TestKindsOfMoments(t *testing.T) {
	w := tensor.New(tensor.WithShape(3), tensor.Of(tensor.Float32))
	task := &Task{Params: []*graph.Param{{Name: "w", Value: w}}}
	if _, err := Elementwise(task, &unkind[float32]{}, &unkind[float64]{}); err == nil || !strings.Contains(err.Error(), "1 moments and 2 kinds") {
		t.Errorf("error %v", err)
	}
}
