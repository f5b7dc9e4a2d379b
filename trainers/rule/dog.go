package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
)

// DoGConfig is DoG, distance over gradients (Ivgi, Hinder & Carmon 2023), or, with
// Layerwise, LDoG. The step size is the largest distance from the start so far over the
// root of the sum of squared gradients:
//
//	g ← g + WeightDecay·θ
//	r̄_t = max(r̄_{t-1}, ‖θ_t - θ_0‖),  r̄_0 = RelDist·(1 + ‖θ_0‖)
//	G_t = G_{t-1} + ‖g_t‖²,  G_{-1} = Eps
//	θ ← θ - η·r̄_t/√G_t·g_t
//
// with norms over all parameters, or for LDoG over one. There is no rate to choose: η is
// the paper's c = 1. The authors evaluate an average of the weights, which the option
// Averaged of a Trainer gives: average.PolynomialDecay(8). K is 0 by default. Where APO
// learns rates all the same, e^φ is that factor c. Make it with DoG or LDoG.
type DoGConfig struct {
	OptimizerBase
	LR          float64 `json:"lr"`
	RelDist     float64 `json:"reps_rel"`     // above 0, at most 1
	Eps         float64 `json:"eps"`          // above 0
	WeightDecay float64 `json:"weight_decay"` // L2 penalty, 0 or more
	Layerwise   bool    `json:"layerwise"`
}

var _ Optimizer = (*DoGConfig)(nil)

// DoG has the authors' defaults: r̄_0 is 1e-6 times 1 + ‖θ_0‖, ε = 1e-8 and no weight decay.
// They advise lr = 1 and, for nets with batch norm, 1e-4 in the place of 1e-6.
func DoG(lr float64) *DoGConfig { return &DoGConfig{LR: lr, RelDist: 1e-6, Eps: 1e-8} }

// LDoG is DoG for each parameter, such as a layer's matrix, by itself.
func LDoG(lr float64) *DoGConfig {
	c := DoG(lr)
	c.Layerwise = true
	return c
}

// Name implements Optimizer.
func (c *DoGConfig) Name() string {
	if c.Layerwise {
		return "ldog"
	}
	return "dog"
}

// LearningRate implements Optimizer.
func (c *DoGConfig) LearningRate() float64 { return c.LR }

// Defaults implements Optimizer: K is 0.
func (c *DoGConfig) Defaults() Defaults { return withoutMetaSteps() }

// Validate implements Optimizer.
func (c *DoGConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Require("reps_rel", c.RelDist, c.RelDist > 0 && c.RelDist <= 1, "above 0 and at most 1"),
		Positive("eps", c.Eps), NotNegative("weight_decay", c.WeightDecay))
}

// Start implements Optimizer.
func (c *DoGConfig) Start(t *Task) (Rule, error) {
	n := 1
	if c.Layerwise {
		n = len(t.Params)
	}
	return startSummed(t, c.LR, newDoG[float32](c, n), newDoG[float64](c, n))
}

// dog keeps r̄ and G of each group, the whole net or a parameter.
type dog[T apoops.Float] struct {
	c       DoGConfig
	t       int
	rbar, g []float64
	reached []float64 // bounds of r̄ after the step
}

func newDoG[T apoops.Float](c *DoGConfig, groups int) *dog[T] {
	return &dog[T]{c: *c, rbar: make([]float64, groups), g: make([]float64, groups), reached: make([]float64, groups)}
}

// group is that of parameter i.
func (k *dog[T]) group(i int) int {
	if k.c.Layerwise {
		return i
	}
	return 0
}

func (k *dog[T]) arrays() []stateArray {
	return []stateArray{{name: "origin", kind: inFloat32, origin: true}}
}

func (k *dog[T]) numbers() []stateNumbers { return []stateNumbers{{"rbar", k.rbar}, {"G", k.g}} }

func (k *dog[T]) begin(in Input, _ []float64) { k.t = in.T }

// gather sums up ‖g‖² and ‖θ - θ_0‖², at the first step ‖θ_0‖².
func (k *dog[T]) gather(a *arraysOf[T], lo, hi int) (s sums) {
	decay := k.c.WeightDecay
	w, g, origin := a.w[lo:hi], a.g[lo:hi], a.m[0][lo:hi]
	for i, x := range w {
		grad, far := float64(g[i])+decay*float64(x), float64(x)
		if k.t > 1 {
			far -= float64(origin[i])
		}
		s[0] += grad * grad
		s[1] += far * far
	}
	return s
}

func (k *dog[T]) settle(totals []sums) {
	all := make([]sums, len(k.rbar))
	for i, s := range totals {
		j := k.group(i)
		all[j][0] += s[0]
		all[j][1] += s[1]
	}
	for j, s := range all {
		if k.t == 1 {
			k.rbar[j], k.g[j] = k.start(math.Sqrt(s[1])), k.c.Eps+s[0]
			continue
		}
		k.rbar[j], k.g[j] = max(k.rbar[j], math.Sqrt(s[1])), k.g[j]+s[0]
	}
}

// start is r̄_0 of weights of that norm.
func (k *dog[T]) start(norm float64) float64 { return k.c.RelDist * (1 + norm) }

func (k *dog[T]) direct(a *arraysOf[T], lo, hi int) {
	j := k.group(a.i)
	factor, decay := k.rbar[j]/math.Sqrt(k.g[j]), k.c.WeightDecay
	w, g, d := a.w[lo:hi], a.g[lo:hi], a.d[lo:hi]
	for i, x := range w {
		d[i] = T(factor * (float64(g[i]) + decay*float64(x)))
	}
}

// foresee bounds r̄ by the norms of θ and θ_0.
func (k *dog[T]) foresee(norm float64, bounds [][]float64) {
	for j := range k.reached {
		group := bounds
		if k.c.Layerwise {
			group = bounds[j : j+1]
		}
		w, origin := normOf(group, 0), normOf(group, 1)
		if k.reached[j] = max(k.rbar[j], w+origin); k.t == 1 {
			k.reached[j] = k.start(w)
		}
		grad := norm + k.c.WeightDecay*w
		if math.IsInf(k.g[j]+grad*grad, 1) {
			k.reached[j] = math.Inf(1)
		}
	}
}

// reach is r̄, for ‖g‖ is at most √G. The origin becomes the weights at the first step.
func (k *dog[T]) reach(i int, _ float64, x []float64) float64 {
	x[1] = max(x[1], x[0])
	return k.reached[k.group(i)]
}
