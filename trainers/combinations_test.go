package trainers

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/average"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// combinationsEnv is the number of combinations to try where it is not combinations.
const (
	combinationsEnv = "APO_TEST_COMBINATIONS"
	combinations    = 40
)

// combination is a rule, up to four options, and a way to train a net with them, all drawn.
type combination struct {
	start func(o Optimizer, opts ...Option) (training, error)
	o     Optimizer
	opts  []Option
	dt    tensor.Dtype
	text  []string
}

// training is a net, by New, FromProblem or Wrap, that takes steps on data of its own.
type training interface {
	steps(from, to int) error
	state() *engine
	Save(path string, opts ...SaveOption) error
	Load(path string) error
	Evaluated(do func() error) error
}

func (c *combination) begin(opts ...Option) (training, error) {
	return c.start(c.o, append(slices.Clone(c.opts), opts...)...)
}

func draw[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// drawCombination draws the same for the same seed.
func drawCombination(t *testing.T, seed uint64) *combination {
	r := rand.New(rand.NewPCG(seed, 103))
	c := &combination{dt: draw(r, tensor.Float32, tensor.Float32, tensor.Float64)}
	var net, rule string
	rule, c.o = drawRule(t, r, true)
	net, c.start = drawNet(t, r, c.dt)
	k := r.IntN(4)
	c.text = []string{net, rule, fmt.Sprint(c.dt), fmt.Sprintf("K = %d", k)}
	c.opts = []Option{EveryK(k), Seed(seed), Dtype(c.dt)}
	for _, i := range r.Perm(len(drawnOptions))[:r.IntN(5)] {
		text, opt := drawnOptions[i](r)
		c.text, c.opts = append(c.text, text), append(c.opts, opt)
	}
	return c
}

// drawRule is one of all rules, or groups of two, or Mechanic around one.
func drawRule(t *testing.T, r *rand.Rand, nest bool) (string, Optimizer) {
	rate := draw(r, 1e-3, 0.01, 0.05)
	choice := r.IntN(12)
	if !nest {
		choice += 3
	}
	switch choice {
	case 0:
		rest, a := drawRule(t, r, false)
		some, b := drawRule(t, r, false)
		return "groups of " + rest + " and " + some, Groups(a, Group{Params: []string{"*1*"}, Optimizer: b})
	case 1:
		rest, a := drawRule(t, r, false)
		return "groups of " + rest + " and frozen", Groups(a, Group{Params: []string{"*1*"}, Frozen: true})
	case 2:
		base, o := drawRule(t, r, false)
		return "mechanic around " + base, Mechanic(o)
	case 3:
		return "relative", precond.Relative(rate)
	case 4:
		return "trust region", precond.TrustRegion(rate)
	case 5:
		return "precond, rate found", Precond(0)
	case 6:
		o := KFAC(rate)
		o.FactorEvery, o.InverseEvery = 2, 4
		return "kfac, rare", o
	}
	name := draw(r, OptimizerNames()...)
	o, err := NewOptimizer(name, rate, nil)
	if err != nil {
		t.Fatal(err)
	}
	return name, o
}

// drawnOptions are all options that need nothing of the user's, with values.
var drawnOptions = []func(r *rand.Rand) (string, Option){
	func(r *rand.Rand) (string, Option) { return "FSD", FSD(draw(r, 0, 0.1, 1)) },
	func(r *rand.Rand) (string, Option) { return "WSD", WSD(draw(r, 0, 0.1)) },
	func(r *rand.Rand) (string, Option) { return "FSDFraction", FSDFraction(0.5) },
	func(r *rand.Rand) (string, Option) { return "SameBatch", SameBatch() },
	func(r *rand.Rand) (string, Option) {
		return "Calibrated", Calibrated(CalibratedConfig{Horizon: draw(r, 0, 8)})
	},
	func(r *rand.Rand) (string, Option) {
		return "Meta", Meta(draw[Optimizer](r, MetaSGD(0.01), MetaAdam(0.05)))
	},
	func(r *rand.Rand) (string, Option) { return "ClipMeta", ClipMeta(0.1) },
	func(r *rand.Rand) (string, Option) { return "LinearRate", LinearRate() },
	func(r *rand.Rand) (string, Option) { return "RatePerParam", RatePerParam() },
	func(r *rand.Rand) (string, Option) {
		return "WithSchedule", WithSchedule(draw(r, Cosine(8, 0), WarmUp(3, Constant()), StepDecay(0.1, 4)))
	},
	func(r *rand.Rand) (string, Option) { return "Accumulate", Accumulate(draw(r, 2, 3)) },
	func(r *rand.Rand) (string, Option) { return "ClipNorm", ClipNorm(0.5) },
	func(r *rand.Rand) (string, Option) { return "ClipValue", ClipValue(0.01) },
	func(r *rand.Rand) (string, Option) { return "SkipNonFinite", SkipNonFinite(4) },
	func(r *rand.Rand) (string, Option) { return "LearnWeightDecay", LearnWeightDecay() },
	func(r *rand.Rand) (string, Option) { return "LearnDamping", LearnDamping() },
	func(r *rand.Rand) (string, Option) { return "LearnEpsilon", LearnEpsilon() },
	func(r *rand.Rand) (string, Option) {
		return "Averaged", Averaged(draw(r, average.Exponential(0.9), average.PolynomialDecay(8)))
	},
	func(r *rand.Rand) (string, Option) { return "Graphs", Graphs(draw(r, 1, 3)) },
	func(r *rand.Rand) (string, Option) {
		format := draw(r, apoops.BFloat16, apoops.Float16)
		settings := draw(r, nil, []precision.Setting{precision.MasterWeights()}, []precision.Setting{precision.Stochastic()})
		return fmt.Sprint("Precision ", format), Precision(format, settings...)
	},
}

// eachCombination runs the test on combinations that New, FromProblem or Wrap take, and
// sees to it that they take many.
func eachCombination(t *testing.T, test func(t *testing.T, c *combination, seed int)) {
	n := combinations
	if testing.Short() {
		n = 20
	}
	if s := os.Getenv(combinationsEnv); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("%s: %v", combinationsEnv, err)
		}
	}
	taken := 0
	for seed := range n {
		c := drawCombination(t, uint64(seed))
		if _, err := c.begin(); err != nil {
			continue // an error of conflicts_test.go
		}
		taken++
		t.Run(fmt.Sprintf("%d: %s", seed, strings.Join(c.text, ", ")), func(t *testing.T) { test(t, c, seed) })
	}
	if taken < n/3 {
		t.Errorf("%d of %d combinations were taken", taken, n)
	}
}

// TestCombinationsResume trains with rules and options drawn at random. Steps must
// succeed, and a run from a checkpoint be one that never stopped, bit for bit.
func TestCombinationsResume(t *testing.T) {
	t.Parallel()
	eachCombination(t, func(t *testing.T, c *combination, seed int) {
		begin := func() training {
			tr, err := c.begin()
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		stop := 3 + seed%4
		whole, first, second := begin(), begin(), begin()
		path := filepath.Join(t.TempDir(), "checkpoint")
		for _, err := range []error{whole.steps(0, 9), first.steps(0, stop), first.Save(path), second.Load(path), second.steps(stop, 9)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		sameBits(t, "resumed", whole.state(), second.state())
		a, b := evaluatedWeights(t, whole), evaluatedWeights(t, second)
		for i := range a {
			sameArray(t, "evaluated", a[i], b[i])
		}
	})
}

// evaluatedWeights are copies of the weights that Evaluate takes.
func evaluatedWeights(t *testing.T, tr training) (all []*tensor.Dense) {
	if err := tr.Evaluated(func() error {
		for _, p := range tr.state().Task.Params {
			all = append(all, p.Value.Clone().(*tensor.Dense))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCombinationsOfMembers has two or three members train together. All must take the
// same steps, bit for bit, or report an error.
func TestCombinationsOfMembers(t *testing.T) {
	t.Parallel()
	eachCombination(t, func(t *testing.T, c *combination, seed int) {
		n := 2 + seed%2
		runs, errs := make([]training, n), make([]error, n)
		together(n, func(m Communicator) {
			own := drawCombination(t, uint64(seed))
			tr, err := own.begin(Parallel(m))
			if err == nil {
				runs[m.Rank()] = tr
				err = tr.steps(0, 6)
			}
			if err != nil {
				errs[m.Rank()] = err
				m.Abort(err)
			}
		})
		for r, err := range errs {
			switch {
			case err == nil && runs[0] != nil:
				sameBits(t, fmt.Sprintf("rank %d", r), runs[0].state(), runs[r].state())
			case err != nil && !strings.Contains(err.Error(), "Parallel") && !strings.Contains(err.Error(), "equal parts"):
				t.Errorf("rank %d: %v", r, err)
			}
		}
	})
}
