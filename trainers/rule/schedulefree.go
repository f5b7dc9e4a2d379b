package rule

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// ScheduleFreeConfig is Schedule-Free SGD or, where Adaptive is set, Schedule-Free AdamW
// (Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky 2024). It has three sequences of
// weights: gradients are taken at y, which is θ, steps are taken from z, and x, their
// average, is what is evaluated:
//
//	y = (1-Beta)·z + Beta·x
//	u = g(y) + WeightDecay·y, or g(y)/(√v + Eps) + WeightDecay·y where
//	    v ← Beta2·v + (1-Beta2)·g(y)²
//	γ_t = η·min(1, t/WarmUp), for AdamW times √(1-Beta2^t)
//	z ← z - γ_t·u
//	c = w_t/Σ_{k≤t} w_k,  w_t = t^R·(max_{k≤t} γ_k)^WeightPower
//	x ← (1-c)·x + c·z
//
// Evaluate, SaveWeights and what Trainer.Evaluated runs have x in the place of θ without the
// user's doing. A checkpoint has y and z, so that a run goes on exactly; LoadWeights takes y
// from it. Statistics of batch norm are those at y. All three begin at the initial weights,
// or those of LoadWeights. The method needs no schedule: one is a factor on η.
//
// Where APO learns rates (K > 0), φ is log η and the lookahead is the part of y's step
// that depends on η, θ' = y - (1-Beta·(1-c))·γ_t·u; c is by the rates before the meta-step.
// Make it with ScheduleFreeSGD or ScheduleFreeAdamW.
type ScheduleFreeConfig struct {
	OptimizerBase
	LR          float64 `json:"lr"`
	Beta        float64 `json:"beta"`         // between 0 and 1
	WeightDecay float64 `json:"weight_decay"` // 0 or more, at y
	WarmUp      int     `json:"warm_up"`      // steps, 0 for none
	R           float64 `json:"r"`            // 0 or more
	WeightPower float64 `json:"weight_power"` // 0 or more
	Adaptive    bool    `json:"adaptive"`
	Beta2       float64 `json:"beta2"` // at least 0, below 1; of Adaptive alone
	Eps         float64 `json:"eps"`   // 0 or more; of Adaptive alone
}

var _ Optimizer = (*ScheduleFreeConfig)(nil)

// ScheduleFreeSGD has the authors' defaults: β = 0.9, no warm-up, weights γ² in the average
// (r = 0) and no weight decay.
func ScheduleFreeSGD(lr float64) *ScheduleFreeConfig {
	return &ScheduleFreeConfig{LR: lr, Beta: 0.9, WeightPower: 2}
}

// ScheduleFreeAdamW is the same with β2 = 0.999 and ε = 1e-8. The authors advise a warm-up and
// a rate of 1 to 10 times that of AdamW.
func ScheduleFreeAdamW(lr float64) *ScheduleFreeConfig {
	c := ScheduleFreeSGD(lr)
	c.Adaptive, c.Beta2, c.Eps = true, 0.999, 1e-8
	return c
}

// Name implements Optimizer.
func (c *ScheduleFreeConfig) Name() string {
	if c.Adaptive {
		return "schedule-free-adamw"
	}
	return "schedule-free-sgd"
}

// LearningRate implements Optimizer.
func (c *ScheduleFreeConfig) LearningRate() float64 { return c.LR }

// Validate implements Optimizer.
func (c *ScheduleFreeConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), Require("beta", c.Beta, c.Beta > 0 && c.Beta < 1, "above 0 and less than 1"),
		NotNegative("weight_decay", c.WeightDecay), NotNegative("warm_up", float64(c.WarmUp)), NotNegative("r", c.R),
		NotNegative("weight_power", c.WeightPower), Fraction("beta2", c.Beta2), NotNegative("eps", c.Eps))
}

// Start implements Optimizer.
func (c *ScheduleFreeConfig) Start(t *Task) (Rule, error) {
	if err := graph.CheckParams(t.Params); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startScheduleFree[float32], startScheduleFree[float64])
	if err != nil {
		return nil, err
	}
	return start(c, t), nil
}

func startScheduleFree[T apoops.Float](c *ScheduleFreeConfig, t *Task) Rule {
	k := &scheduleFree[T]{c: *c}
	for _, p := range t.Params {
		k.size = append(k.size, float64(p.Value.DataSize()))
	}
	n := len(t.Params)
	k.highest, k.total, k.share = make([]float64, n), make([]float64, n), make([]float64, n)
	return &scheduleFreeRule[T]{summed: newSummed(t, c.LR, k), k: k}
}

// scheduleFree is the direction (1-Beta·(1-c))·γ_t/η·u of y. It adds nothing up.
type scheduleFree[T apoops.Float] struct {
	c      ScheduleFreeConfig
	size   []float64 // of each parameter
	t      int
	factor float64 // γ_t/η
	// By parameter: the largest γ so far and the sum of w, which are state, and c.
	highest, total, share []float64
	rates                 []float64
	norm                  float64 // a bound of that of the gradient with the decay of SGD
}

// Arrays of the state by their numbers.
const (
	zArray = 0
	vArray = 1
)

func (k *scheduleFree[T]) arrays() []stateArray {
	all := []stateArray{{name: "z", kind: inFloat32, origin: true}}
	if k.c.Adaptive {
		all = append(all, stateArray{name: "v", kind: precision.SecondMoments})
	}
	return all
}

func (k *scheduleFree[T]) numbers() []stateNumbers {
	return []stateNumbers{{"highest rate", k.highest}, {"sum of weights", k.total}}
}

func (k *scheduleFree[T]) begin(in Input, rates []float64) {
	k.t, k.rates, k.factor = in.T, rates, 1
	if in.T < k.c.WarmUp {
		k.factor = float64(in.T) / float64(k.c.WarmUp)
	}
	if k.c.Adaptive {
		k.factor *= math.Sqrt(1 - math.Pow(k.c.Beta2, float64(in.T)))
	}
}

func (k *scheduleFree[T]) gather(a *arraysOf[T], lo, hi int) (s sums) {
	if !k.c.Adaptive {
		return s
	}
	blas.AverageSquares(a.m[vArray][lo:hi], a.g[lo:hi], T(k.c.Beta2), T(1-k.c.Beta2))
	return s
}

func (k *scheduleFree[T]) settle(totals []sums) {
	for i := range totals {
		k.highest[i] = max(k.highest[i], k.rates[i]*k.factor)
		w := math.Pow(float64(k.t), k.c.R) * math.Pow(k.highest[i], k.c.WeightPower)
		k.total[i] += w
		if k.share[i] = w / k.total[i]; k.total[i] == 0 {
			k.share[i] = 0
		}
	}
}

// part is 1-Beta·(1-c), that of z's step in y's.
func (k *scheduleFree[T]) part(i int) float64 { return 1 - k.c.Beta*(1-k.share[i]) }

func (k *scheduleFree[T]) direct(a *arraysOf[T], lo, hi int) {
	step, decay := T(k.part(a.i)*k.factor), T(k.c.WeightDecay)
	w, g, d := a.w[lo:hi], a.g[lo:hi], a.d[lo:hi]
	if !k.c.Adaptive {
		for i, x := range g {
			d[i] = step * (x + decay*w[i])
		}
		return
	}
	blas.DivideByRoots(d, g, a.m[vArray][lo:hi], 1, 1, T(k.c.Eps))
	blas.Combine(d, d, w, step, step*decay)
}

// foresee and reach bound u. y and x are between, or not far from, y and z.
func (k *scheduleFree[T]) foresee(norm float64, _ [][]float64) { k.norm = norm }

func (k *scheduleFree[T]) reach(i int, norm float64, x []float64) float64 {
	u := norm
	if k.c.Adaptive {
		x[1+vArray] = max(x[1+vArray], norm*norm)
		keep := 1 - k.c.Beta2
		u = math.Sqrt(k.size[i]) * scaledReach[T](norm, 1, 1, float64(T(k.c.Eps)), 1/math.Sqrt(keep), keep)
	}
	u += k.c.WeightDecay * x[0]
	x[0] = max(x[0], x[1+zArray])
	x[1+zArray] += k.rates[i] * u
	if far := (x[0] + x[1+zArray]) / k.c.Beta; math.Pow(float64(k.t), k.c.R)*math.Pow(max(k.highest[i], k.rates[i]), k.c.WeightPower)+k.total[i] > math.MaxFloat64 || float64(T(far)) > math.MaxFloat64 {
		return math.Inf(1)
	}
	return u
}

// scheduleFreeRule has z and y move together.
type scheduleFreeRule[T apoops.Float] struct {
	*summed[T]
	k *scheduleFree[T]
}

// Iterates is the rule itself.
func (r *scheduleFreeRule[T]) Iterates() Iterates { return r }

// Moved takes the step from z, and y to between what x and z are then: where y has moved by
// -p·γu with p = 1-Beta·(1-c), it lacks c·(z-y), by z and y as they were before.
func (r *scheduleFreeRule[T]) Moved(in Input, rates []float64) error {
	for i := range r.params {
		r.take(i, in)
		y, d, z := r.at.w, r.at.d, r.at.m[zArray]
		c, rate, step := T(r.k.share[i]), T(rates[i]), T(rates[i]/r.k.part(i))
		par.For(len(y), par.Grain, func(lo, hi int) {
			for j := lo; j < hi; j++ {
				y[j] += c * (z[j] - (y[j] + rate*d[j]))
				z[j] -= step * d[j]
			}
		})
	}
	return nil
}

// Evaluated is x = y + (1-1/Beta)·(z-y).
func (r *scheduleFreeRule[T]) Evaluated(to []*tensor.Dense) {
	for i, p := range r.params {
		x, y, z := apoops.Elements[T](to[i]), apoops.Elements[T](p.Value), r.m[i][zArray]
		if r.k.total[i] == 0 { // no step was taken
			copy(x, y)
			continue
		}
		far := T(1 - 1/r.k.c.Beta)
		par.For(len(x), par.Grain, func(lo, hi int) {
			for j := lo; j < hi; j++ {
				x[j] = y[j] + far*(z[j]-y[j])
			}
		})
	}
}
