package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// DAdaptAdamConfig is Adam with D-Adaptation (Defazio & Mishchenko 2023, Algorithm 5): its
// step size d is a lower bound of the distance to the solution. With β = √Beta2, γ the rate
// and b = √(1-Beta2^t)/(1-Beta1^t) with BiasCorrection and else 1:
//
//	m ← Beta1·m + (1-Beta1)·d·b·g
//	v ← Beta2·v + (1-Beta2)·g²,  A = √v + Eps
//	r ← β·r + (1-β)·d·γ·b·<g, s/A>, with s as it was before
//	s ← β·s + (1-β)·d·γ·b·g
//	θ ← θ - γ·(m/A + WeightDecay·d·b·θ)
//	d̂ = r/((1-β)·‖s‖₁),  d ← max(d, min(d̂, GrowthRate·d))
//
// where all sums are over all parameters and d is D0 at first. Without Decoupled,
// g ← g + WeightDecay·θ takes the place of the last term. γ is η times the schedule. It
// multiplies the step, where the paper averages γ·g in m: the same as long as γ is
// constant. The authors leave η at 1. A d̂ that is not finite is passed over. K is 0 by
// default. Where APO learns rates all the same, e^φ is γ. Make it with DAdaptAdam.
type DAdaptAdamConfig struct {
	OptimizerBase
	LR             float64 `json:"lr"`
	Beta1          float64 `json:"beta1"` // at least 0, below 1
	Beta2          float64 `json:"beta2"` // at least 0, below 1
	Eps            float64 `json:"eps"`   // 0 or more
	WeightDecay    float64 `json:"weight_decay"`
	Decoupled      bool    `json:"decoupled"`
	BiasCorrection bool    `json:"bias_correction"`
	D0             float64 `json:"d0"`          // above 0
	GrowthRate     float64 `json:"growth_rate"` // of d in a step, 1 or more; 0 for no limit
}

var _ Optimizer = (*DAdaptAdamConfig)(nil)

// DAdaptAdam has the authors' defaults: β1 = 0.9, β2 = 0.999, ε = 1e-8, d_0 = 1e-6, no limit of
// the growth, no weight decay and no bias correction. They advise lr = 1.
func DAdaptAdam(lr float64) *DAdaptAdamConfig {
	return &DAdaptAdamConfig{LR: lr, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, D0: 1e-6}
}

// Name implements Optimizer.
func (c *DAdaptAdamConfig) Name() string { return "dadapt-adam" }

// LearningRate implements Optimizer.
func (c *DAdaptAdamConfig) LearningRate() float64 { return c.LR }

// Defaults implements Optimizer: K is 0.
func (c *DAdaptAdamConfig) Defaults() Defaults { return withoutMetaSteps() }

// Validate implements Optimizer.
func (c *DAdaptAdamConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("beta1", c.Beta1), Fraction("beta2", c.Beta2), NotNegative("eps", c.Eps),
		NotNegative("weight_decay", c.WeightDecay), Positive("d0", c.D0), growthRate(c.GrowthRate))
}

// Start implements Optimizer.
func (c *DAdaptAdamConfig) Start(t *Task) (Rule, error) {
	return startSummed(t, c.LR, newDAdaptAdam[float32](c, t), newDAdaptAdam[float64](c, t))
}

type dadaptAdam[T apoops.Float] struct {
	c    DAdaptAdamConfig
	size float64   // the number of weights
	beta float64   // √Beta2
	d    []float64 // d and r
	last float64   // d of before the step
	// The rates by parameter and b.
	rates []float64
	bias  float64
	norm  float64 // a bound of that of the gradient with its decay
	sound bool    // the numbers are certain to stay finite
}

func newDAdaptAdam[T apoops.Float](c *DAdaptAdamConfig, t *Task) *dadaptAdam[T] {
	return &dadaptAdam[T]{c: *c, size: float64(elementsOf(t.Params)), beta: math.Sqrt(c.Beta2), d: []float64{c.D0, 0}}
}

// Two arrays are in units of d, which begins far below what 16 bits hold, and v belongs to
// them.
func (k *dadaptAdam[T]) arrays() []stateArray {
	return []stateArray{{name: "m", kind: inFloat32}, {name: "v", kind: inFloat32}, {name: "s", kind: inFloat32}}
}

func (k *dadaptAdam[T]) numbers() []stateNumbers { return []stateNumbers{{"d", k.d}} }

func (k *dadaptAdam[T]) begin(in Input, rates []float64) {
	k.rates, k.bias = rates, 1
	if k.c.BiasCorrection {
		k.bias = adamBias(k.c.Beta1, k.c.Beta2, in.T)
	}
}

// coupled is the weight decay that is added to the gradient.
func (k *dadaptAdam[T]) coupled() float64 {
	if k.c.Decoupled {
		return 0
	}
	return k.c.WeightDecay
}

// gather sums up <g, s/A> and ‖s‖₁.
func (k *dadaptAdam[T]) gather(a *arraysOf[T], lo, hi int) (total sums) {
	step := k.d[0] * k.bias
	decay, eps, beta, fresh := T(k.coupled()), T(k.c.Eps), T(k.beta), T((1-k.beta)*step*a.rate)
	beta1, keep1 := T(k.c.Beta1), T((1-k.c.Beta1)*step)
	beta2, keep2 := T(k.c.Beta2), T(1-k.c.Beta2)
	g, m, v, s := a.d[lo:hi], a.m[0][lo:hi], a.m[1][lo:hi], a.m[2][lo:hi]
	regularise(g, a.w[lo:hi], a.g[lo:hi], decay)
	blas.Combine(m, m, g, beta1, keep1)
	blas.AverageSquares(v, g, beta2, keep2)
	for i, x := range g {
		if s[i] != 0 { // A may be 0 before a gradient came
			total[0] += float64(x) * float64(s[i]/(sqrt(v[i])+eps))
		}
		s[i] = beta*s[i] + fresh*x
		total[1] += math.Abs(float64(s[i]))
	}
	return total
}

func (k *dadaptAdam[T]) settle(totals []sums) {
	d, moved, r, size := k.d[0], false, k.beta*k.d[1], 0.0
	for i, t := range totals {
		r += (1 - k.beta) * d * k.rates[i] * k.bias * t[0]
		size += t[1]
		moved = moved || k.rates[i] > 0
	}
	k.last, k.d[1] = d, r
	estimate := r / ((1 - k.beta) * size)
	if !moved || math.IsNaN(estimate) || math.IsInf(estimate, 0) {
		return
	}
	if k.c.GrowthRate > 0 {
		estimate = min(estimate, d*k.c.GrowthRate)
	}
	k.d[0] = max(d, estimate)
}

func (k *dadaptAdam[T]) direct(a *arraysOf[T], lo, hi int) {
	eps, decay := T(k.c.Eps), T((k.c.WeightDecay-k.coupled())*k.last*k.bias)
	w, d, m, v := a.w[lo:hi], a.d[lo:hi], a.m[0][lo:hi], a.m[1][lo:hi]
	for i, x := range m {
		if d[i] = 0; x != 0 {
			d[i] = x / (sqrt(v[i]) + eps)
		}
		d[i] += decay * w[i]
	}
}

// foresee bounds r, in which |s|/A is at most |s|/Eps.
func (k *dadaptAdam[T]) foresee(norm float64, bounds [][]float64) {
	k.norm = norm + k.coupled()*normOf(bounds, 0)
	r := math.Abs(k.d[1])
	for i, x := range bounds {
		r += k.d[0] * k.rates[i] * k.bias * k.norm * x[3] / float64(T(k.c.Eps))
	}
	k.sound = !math.IsNaN(r) && !math.IsInf(r, 0)
}

// reach knows that d never falls: m is at most d·b times an average of gradients.
func (k *dadaptAdam[T]) reach(i int, _ float64, x []float64) float64 {
	step := k.d[0] * k.bias
	if !k.sound || k.d[0] > farthest {
		return math.Inf(1)
	}
	x[1], x[2], x[3] = max(x[1], step*k.norm), max(x[2], k.norm*k.norm), x[3]+step*k.rates[i]*(1+k.norm)
	most := k.d[0] / (1 - k.c.Beta1) // of d·b over the steps
	u := scaledReach[T](x[1]/most, most, 1, float64(T(k.c.Eps)), averageRatio(k.c.Beta1, k.c.Beta2), 1-k.c.Beta2)
	return math.Sqrt(k.size)*u + (k.c.WeightDecay-k.coupled())*step*x[0]
}
