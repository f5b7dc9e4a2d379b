package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
)

// ProdigyConfig is Prodigy (Mishchenko & Defazio 2023), Adam whose step size d is an
// estimate of the distance to the solution. With β3 = √Beta2, γ the rate and
// λ = d·γ·b, where b = √(1-Beta2^t)/(1-Beta1^t) with BiasCorrection and else 1:
//
//	m ← Beta1·m + (1-Beta1)·d·g
//	v ← Beta2·v + (1-Beta2)·d²·g²
//	r ← β3·r + d/D0·λ·<g, θ_0 - θ>
//	s ← β3·s + d/D0·λ·g,  or d/D0·d·g with SafeguardWarmUp
//	d̂ = DCoef·r/‖s‖₁,  d' = min(max of all d̂ so far, GrowthRate·d)
//	θ ← θ - λ·(m/(√v + d'·Eps) + WeightDecay·θ),  then d ← d'
//
// where all sums are over all parameters and d is D0 at first. d never falls. Without
// Decoupled, g ← g + WeightDecay·θ takes the place of the last term. γ is η times the
// schedule; the authors leave η at 1 and advise a cosine schedule, and SafeguardWarmUp
// where it warms up. A d̂ that is not finite is passed over. K is 0 by default. Where APO
// learns rates all the same, e^φ is γ. Make it with Prodigy.
type ProdigyConfig struct {
	OptimizerBase
	LR              float64 `json:"lr"`
	Beta1           float64 `json:"beta1"` // at least 0, below 1
	Beta2           float64 `json:"beta2"` // at least 0, below 1
	Beta3           float64 `json:"beta3"` // at least 0, below 1; 0 for √Beta2
	Eps             float64 `json:"eps"`   // above 0
	WeightDecay     float64 `json:"weight_decay"`
	Decoupled       bool    `json:"decoupled"`
	BiasCorrection  bool    `json:"bias_correction"`
	SafeguardWarmUp bool    `json:"safeguard_warmup"`
	D0              float64 `json:"d0"`          // above 0
	DCoef           float64 `json:"d_coef"`      // above 0
	GrowthRate      float64 `json:"growth_rate"` // of d in a step, 1 or more; 0 for no limit
}

var _ Optimizer = (*ProdigyConfig)(nil)

// Prodigy has the authors' defaults: β1 = 0.9, β2 = 0.999, β3 = √β2, ε = 1e-8, d_0 = 1e-6, no
// limit of the growth, no weight decay (decoupled where it is set), no bias correction and
// no safeguard of the warm-up. They advise lr = 1.
func Prodigy(lr float64) *ProdigyConfig {
	return &ProdigyConfig{LR: lr, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decoupled: true, D0: 1e-6, DCoef: 1}
}

// Name implements Optimizer.
func (c *ProdigyConfig) Name() string { return "prodigy" }

// LearningRate implements Optimizer.
func (c *ProdigyConfig) LearningRate() float64 { return c.LR }

// Defaults implements Optimizer: K is 0.
func (c *ProdigyConfig) Defaults() Defaults { return withoutMetaSteps() }

// Validate implements Optimizer.
func (c *ProdigyConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Fraction("beta1", c.Beta1), Fraction("beta2", c.Beta2), Fraction("beta3", c.Beta3),
		Positive("eps", c.Eps), NotNegative("weight_decay", c.WeightDecay), Positive("d0", c.D0), Positive("d_coef", c.DCoef), growthRate(c.GrowthRate))
}

// growthRate is the condition that a limit is none, or one that lets d grow.
func growthRate(v float64) Check {
	return Require("growth_rate", v, v == 0 || v >= 1 && !math.IsInf(v, 0), "1 or more and finite, or 0 for no limit")
}

// Start implements Optimizer.
func (c *ProdigyConfig) Start(t *Task) (Rule, error) {
	return startSummed(t, c.LR, newProdigy[float32](c, t), newProdigy[float64](c, t))
}

type prodigy[T apoops.Float] struct {
	c     ProdigyConfig
	size  float64 // the number of weights
	beta3 float64
	// d has d, the largest d̂ and r, the sum above.
	d     []float64
	last  float64   // d of before the step, that of λ
	rates []float64 // by parameter
	bias  float64
	norm  float64 // a bound of that of the gradient with its decay
	sound bool    // the numbers are certain to stay finite
}

func newProdigy[T apoops.Float](c *ProdigyConfig, t *Task) *prodigy[T] {
	k := &prodigy[T]{c: *c, size: float64(elementsOf(t.Params)), beta3: c.Beta3, d: []float64{c.D0, c.D0, 0}}
	if k.beta3 == 0 {
		k.beta3 = math.Sqrt(c.Beta2)
	}
	return k
}

// All arrays are in units of d, which begins far below what 16 bits hold.
func (k *prodigy[T]) arrays() []stateArray {
	return []stateArray{{name: "m", kind: inFloat32}, {name: "v", kind: inFloat32}, {name: "s", kind: inFloat32}, {name: "origin", kind: inFloat32, origin: true}}
}

func (k *prodigy[T]) numbers() []stateNumbers { return []stateNumbers{{"d", k.d}} }

func (k *prodigy[T]) begin(in Input, rates []float64) {
	k.rates, k.bias = rates, 1
	if k.c.BiasCorrection {
		k.bias = adamBias(k.c.Beta1, k.c.Beta2, in.T)
	}
}

// farthest is the largest distance d whose square is a number of float32. Beyond it steps
// are checked when they were taken.
const farthest = 1e15

// adamBias is the factor √(1-β2^t)/(1-β1^t) on a step m/√v.
func adamBias(beta1, beta2 float64, t int) float64 {
	return math.Sqrt(1-math.Pow(beta2, float64(t))) / (1 - math.Pow(beta1, float64(t)))
}

// fresh is the weight of a gradient in s.
func (k *prodigy[T]) fresh(rate float64) float64 {
	step := k.d[0]
	if !k.c.SafeguardWarmUp {
		step *= rate * k.bias
	}
	return k.d[0] / k.c.D0 * step
}

// coupled is the weight decay that is added to the gradient.
func (k *prodigy[T]) coupled() float64 {
	if k.c.Decoupled {
		return 0
	}
	return k.c.WeightDecay
}

// gather sums up <g, θ_0 - θ> and ‖s‖₁.
func (k *prodigy[T]) gather(a *arraysOf[T], lo, hi int) (total sums) {
	d, decay, fresh := k.d[0], T(k.coupled()), T(k.fresh(a.rate))
	beta1, keep1 := T(k.c.Beta1), T((1-k.c.Beta1)*d)
	beta2, keep2, beta3 := T(k.c.Beta2), T((1-k.c.Beta2)*d*d), T(k.beta3)
	w, x, s, origin := a.w[lo:hi], a.d[lo:hi], a.m[2][lo:hi], a.m[3][lo:hi]
	regularise(x, w, a.g[lo:hi], decay)
	blas.Combine(a.m[0][lo:hi], a.m[0][lo:hi], x, beta1, keep1)
	blas.AverageSquares(a.m[1][lo:hi], x, beta2, keep2)
	blas.Combine(s, s, x, beta3, fresh)
	for i, v := range x {
		total[0] += float64(v) * float64(origin[i]-w[i])
		total[1] += math.Abs(float64(s[i]))
	}
	return total
}

func (k *prodigy[T]) settle(totals []sums) {
	d, moved, r, size := k.d[0], false, k.beta3*k.d[2], 0.0
	for i, t := range totals {
		r += d / k.c.D0 * d * k.rates[i] * k.bias * t[0]
		size += t[1]
		moved = moved || k.rates[i] > 0
	}
	k.d[2], k.last = r, d
	estimate := k.c.DCoef * r / size
	if !moved || math.IsNaN(estimate) || math.IsInf(estimate, 0) {
		return
	}
	if d == k.c.D0 {
		d = max(d, estimate)
	}
	k.d[1] = max(k.d[1], estimate)
	k.d[0] = k.d[1]
	if k.c.GrowthRate > 0 {
		k.d[0] = min(k.d[1], d*k.c.GrowthRate)
	}
}

// direct has λ by d as it was before the step, and d' beside ε.
func (k *prodigy[T]) direct(a *arraysOf[T], lo, hi int) {
	step, eps, decay := T(k.last*k.bias), T(k.d[0]*k.c.Eps), T(k.c.WeightDecay-k.coupled())
	d := a.d[lo:hi]
	blas.DivideByRoots(d, a.m[0][lo:hi], a.m[1][lo:hi], step, 1, eps)
	blas.Axpy(step*decay, a.w[lo:hi], d)
}

func (k *prodigy[T]) foresee(norm float64, bounds [][]float64) {
	k.norm = norm + k.coupled()*normOf(bounds, 0)
	r := k.beta3 * math.Abs(k.d[2])
	for _, rate := range k.rates {
		r += k.d[0] / k.c.D0 * k.d[0] * rate * k.bias * k.norm * (normOf(bounds, 0) + normOf(bounds, 4))
	}
	k.sound = !math.IsNaN(r) && !math.IsInf(r, 0)
}

func (k *prodigy[T]) reach(i int, _ float64, x []float64) float64 {
	d, fresh := k.d[0], k.fresh(k.rates[i])
	if !k.sound || d > farthest {
		return math.Inf(1)
	}
	x[1], x[2], x[3], x[4] = max(x[1], d*k.norm), max(x[2], d*d*k.norm*k.norm), x[3]+fresh*(1+k.norm), max(x[4], x[0])
	u := scaledReach[T](x[1], 1, 1, float64(T(d*k.c.Eps)), averageRatio(k.c.Beta1, k.c.Beta2), 1-k.c.Beta2)
	return d * k.bias * (math.Sqrt(k.size)*u + (k.c.WeightDecay-k.coupled())*x[0])
}
