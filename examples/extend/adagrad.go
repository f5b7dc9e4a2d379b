package extend

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// AdagradConfig is Adagrad (Duchi, Hazan & Singer 2011):
//
//	s ← s + g²
//	d = g/(√s + Eps)
//	θ ← θ - η·d
//
// Make it with Adagrad.
type AdagradConfig struct {
	rule.OptimizerBase
	LR  float64 `json:"lr"`
	Eps float64 `json:"eps"` // above 0, outside the root
}

var _ rule.Optimizer = (*AdagradConfig)(nil)

// Adagrad has ε = 1e-10.
func Adagrad(lr float64) *AdagradConfig { return &AdagradConfig{LR: lr, Eps: 1e-10} }

// Name implements rule.Optimizer.
func (c *AdagradConfig) Name() string { return "adagrad" }

// LearningRate implements rule.Optimizer.
func (c *AdagradConfig) LearningRate() float64 { return c.LR }

// Validate implements rule.Optimizer.
func (c *AdagradConfig) Validate() error {
	return rule.FirstFailed(c.Name(), rule.Positive("lr", c.LR), rule.Positive("eps", c.Eps))
}

// Start implements rule.Optimizer.
func (c *AdagradConfig) Start(t *rule.Task) (rule.Rule, error) {
	return rule.Elementwise(t, adagrad[float32]{eps: float32(c.Eps)}, adagrad[float64]{eps: c.Eps})
}

// adagrad is the rule at one element; the library runs it over all arrays.
type adagrad[T apoops.Float] struct {
	rule.KernelBase
	eps T
}

var _ rule.SearchKernel[float32] = adagrad[float32]{}

func (adagrad[T]) Moments() []string { return []string{"sum"} }

func (adagrad[T]) Kinds() []precision.Kind { return []precision.Kind{precision.SecondMoments} }

func (k adagrad[T]) Direction(d, _, g []T, m [][]T) []T {
	sum := m[0]
	for i, x := range g {
		sum[i] += x * x
		d[i] = x / (root(sum[i]) + k.eps)
	}
	return d
}

// SearchDirection sets d to e = g/(√s + Eps), for Calibrated. There is no momentum,
// so e is the direction itself.
func (k adagrad[T]) SearchDirection(d, _, g []T, m [][]T) {
	for i, x := range g {
		d[i] = x / (root(m[0][i]) + k.eps)
	}
}

// Correction is 1: the sum needs no time to fill.
func (adagrad[T]) Correction(int) float64 { return 1 }

func root[T apoops.Float](x T) T { return T(math.Sqrt(float64(x))) }
