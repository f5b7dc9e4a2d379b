package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// SGDHDConfig is SGD with hypergradient descent (Baydin, Cornish, Martínez Rubio, Schmidt
// & Wood 2018): the learning rate α moves down the gradient of the loss by it, which the
// last step and this gradient give,
//
//	g ← g + WeightDecay·θ
//	α_t = α_{t-1} + HyperLR·<g_t, g_{t-1}>,  α_0 = LR
//	θ ← θ - α_t·g_t
//
// with one α for all parameters and the inner product over all; α may become negative, as
// in the paper. A schedule multiplies α_t. Where APO learns rates as well (K > 0), η/LR
// multiplies α_t. Make it with SGDHD.
type SGDHDConfig struct {
	OptimizerBase
	LR          float64 `json:"lr"`           // α_0
	HyperLR     float64 `json:"hyper_lr"`     // 0 or more
	WeightDecay float64 `json:"weight_decay"` // L2 penalty, 0 or more
}

// AdamHDConfig is Adam with hypergradient descent (Baydin et al. 2018),
//
//	g ← g + WeightDecay·θ
//	α_t = α_{t-1} + HyperLR·<g_t, u_{t-1}>,  α_0 = LR
//	m ← Beta1·m + (1-Beta1)·g,  v ← Beta2·v + (1-Beta2)·g²
//	u_t = m̂/(√v̂ + Eps), with m̂ = m/(1-Beta1^t), v̂ = v/(1-Beta2^t)
//	θ ← θ - α_t·u_t
//
// with one α for all parameters; for the rest see SGDHDConfig. Make it with AdamHD.
type AdamHDConfig struct {
	OptimizerBase
	LR          float64 `json:"lr"`           // α_0
	HyperLR     float64 `json:"hyper_lr"`     // 0 or more
	Beta1       float64 `json:"beta1"`        // at least 0, below 1
	Beta2       float64 `json:"beta2"`        // at least 0, below 1
	Eps         float64 `json:"eps"`          // 0 or more, outside the root
	WeightDecay float64 `json:"weight_decay"` // L2 penalty, 0 or more
}

var _, _ Optimizer = (*SGDHDConfig)(nil), (*AdamHDConfig)(nil)

// SGDHD has the hypergradient rate 1e-6 of the authors' program. One that suits a problem
// is in the units of η/‖g‖²; the paper has up to 1e-3.
func SGDHD(lr float64) *SGDHDConfig { return &SGDHDConfig{LR: lr, HyperLR: 1e-6} }

// AdamHD has the hypergradient rate 1e-8 of the authors' program and Adam's β1 = 0.9,
// β2 = 0.999 and ε = 1e-8.
func AdamHD(lr float64) *AdamHDConfig {
	return &AdamHDConfig{LR: lr, HyperLR: 1e-8, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
}

// Name implements Optimizer.
func (c *SGDHDConfig) Name() string { return "sgd-hd" }

// Name implements Optimizer.
func (c *AdamHDConfig) Name() string { return "adam-hd" }

// LearningRate implements Optimizer.
func (c *SGDHDConfig) LearningRate() float64 { return c.LR }

// LearningRate implements Optimizer.
func (c *AdamHDConfig) LearningRate() float64 { return c.LR }

// Defaults implements Optimizer: α is learned by hypergradients, so K is 0.
func (c *SGDHDConfig) Defaults() Defaults { return withoutMetaSteps() }

// Defaults implements Optimizer: α is learned by hypergradients, so K is 0.
func (c *AdamHDConfig) Defaults() Defaults { return withoutMetaSteps() }

// Validate implements Optimizer.
func (c *SGDHDConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), NotNegative("hyper_lr", c.HyperLR), NotNegative("weight_decay", c.WeightDecay))
}

// Validate implements Optimizer.
func (c *AdamHDConfig) Validate() error {
	return FirstFailed(c.Name(), Positive("lr", c.LR), NotNegative("hyper_lr", c.HyperLR), Fraction("beta1", c.Beta1), Fraction("beta2", c.Beta2),
		NotNegative("eps", c.Eps), NotNegative("weight_decay", c.WeightDecay))
}

// Start implements Optimizer.
func (c *SGDHDConfig) Start(t *Task) (Rule, error) {
	h := hypergradient{lr: c.LR, rate: c.HyperLR, decay: c.WeightDecay}
	return startSummed(t, c.LR, &sgdHD[float32]{h.started()}, &sgdHD[float64]{h.started()})
}

// Start implements Optimizer.
func (c *AdamHDConfig) Start(t *Task) (Rule, error) {
	h := hypergradient{lr: c.LR, rate: c.HyperLR, decay: c.WeightDecay}
	size := float64(elementsOf(t.Params))
	return startSummed(t, c.LR, &adamHD[float32]{hypergradient: h.started(), c: *c, size: size}, &adamHD[float64]{hypergradient: h.started(), c: *c, size: size})
}

// hypergradient is α with what moves it.
type hypergradient struct {
	lr, rate, decay float64
	alpha           []float64 // one number
	// Bounds of the norm of the gradient with its decay and of α after the step.
	norm, highest float64
}

func (h hypergradient) started() hypergradient {
	h.alpha = []float64{h.lr}
	return h
}

func (h *hypergradient) numbers() []stateNumbers { return []stateNumbers{{"alpha", h.alpha}} }

func (h *hypergradient) settle(totals []sums) {
	product := 0.0
	for _, s := range totals {
		product += s[0]
	}
	h.alpha[0] += h.rate * product
}

// factor is α_t/α_0: the step multiplies by η.
func (h *hypergradient) factor() float64 { return h.alpha[0] / h.lr }

// foreseen bounds α after a step whose last direction has at most that norm.
func (h *hypergradient) foreseen(norm float64, bounds [][]float64, last float64) {
	h.norm = norm + h.decay*normOf(bounds, 0)
	h.highest = math.Abs(h.alpha[0]) + h.rate*h.norm*last
}

type sgdHD[T apoops.Float] struct{ hypergradient }

func (k *sgdHD[T]) arrays() []stateArray {
	return []stateArray{{name: "last", kind: precision.Momentum}}
}

func (k *sgdHD[T]) begin(Input, []float64) {}

func (k *sgdHD[T]) gather(a *arraysOf[T], lo, hi int) (s sums) {
	decay := T(k.decay)
	w, g, last := a.w[lo:hi], a.g[lo:hi], a.m[0][lo:hi]
	for i, x := range g {
		s[0] += float64(x+decay*w[i]) * float64(last[i])
	}
	return s
}

func (k *sgdHD[T]) direct(a *arraysOf[T], lo, hi int) {
	decay, factor := T(k.decay), k.factor()
	w, g, d, last := a.w[lo:hi], a.g[lo:hi], a.d[lo:hi], a.m[0][lo:hi]
	for i, x := range g {
		x += decay * w[i]
		last[i] = x
		d[i] = T(factor * float64(x))
	}
}

func (k *sgdHD[T]) foresee(norm float64, bounds [][]float64) {
	k.foreseen(norm, bounds, normOf(bounds, 1))
}

func (k *sgdHD[T]) reach(_ int, _ float64, x []float64) float64 {
	x[1] = max(x[1], k.norm)
	return k.highest / k.lr * k.norm
}

type adamHD[T apoops.Float] struct {
	hypergradient
	c    AdamHDConfig
	size float64 // the number of weights
	t    int
	// The corrections 1/(1-Beta1^t) and 1/√(1-Beta2^t), and those of the step before.
	first, root, firstBefore, rootBefore float64
}

func (k *adamHD[T]) arrays() []stateArray {
	return []stateArray{{name: "m", kind: precision.Momentum}, {name: "v", kind: precision.SecondMoments}}
}

func (k *adamHD[T]) begin(in Input, _ []float64) {
	k.t = in.T
	k.first, k.root = k.corrections(in.T)
	k.firstBefore, k.rootBefore = k.corrections(in.T - 1)
}

func (k *adamHD[T]) corrections(t int) (first, root float64) {
	return 1 / (1 - math.Pow(k.c.Beta1, float64(t))), 1 / math.Sqrt(1-math.Pow(k.c.Beta2, float64(t)))
}

func (k *adamHD[T]) gather(a *arraysOf[T], lo, hi int) (s sums) {
	beta1, keep1, beta2, keep2 := T(k.c.Beta1), T(1-k.c.Beta1), T(k.c.Beta2), T(1-k.c.Beta2)
	decay, eps := T(k.decay), T(k.c.Eps)
	first, root := T(k.firstBefore), T(k.rootBefore)
	w, g, d, m, v := a.w[lo:hi], a.g[lo:hi], a.d[lo:hi], a.m[0][lo:hi], a.m[1][lo:hi]
	if k.t > 1 {
		blas.DivideByRoots(d, m, v, first, root, eps)
		for i, x := range g {
			s[0] += float64(x+decay*w[i]) * float64(d[i])
		}
	}
	regularise(d, w, g, decay)
	blas.Combine(m, m, d, beta1, keep1)
	blas.AverageSquares(v, d, beta2, keep2)
	return s
}

func (k *adamHD[T]) direct(a *arraysOf[T], lo, hi int) {
	d := a.d[lo:hi]
	blas.DivideByRoots(d, a.m[0][lo:hi], a.m[1][lo:hi], T(k.first), T(k.root), T(k.c.Eps))
	blas.Scal(T(k.factor()), d)
}

// foresee bounds u_{t-1} as reach bounds u_t.
func (k *adamHD[T]) foresee(norm float64, bounds [][]float64) {
	last := 0.0
	if k.t > 1 {
		for _, x := range bounds {
			last = max(last, k.bound(x[1], k.firstBefore, k.rootBefore))
		}
	}
	k.foreseen(norm, bounds, math.Sqrt(k.size)*last)
}

func (k *adamHD[T]) reach(_ int, _ float64, x []float64) float64 {
	x[1], x[2] = max(x[1], k.norm), max(x[2], k.norm*k.norm)
	return k.highest / k.lr * math.Sqrt(k.size) * k.bound(x[1], k.first, k.root)
}

// bound is that of an element of u.
func (k *adamHD[T]) bound(m, first, root float64) float64 {
	return scaledReach[T](m, first, root, float64(T(k.c.Eps)), averageRatio(k.c.Beta1, k.c.Beta2), 1-k.c.Beta2)
}
