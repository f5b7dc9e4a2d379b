package curvature

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// KFACConfig is KFAC (Martens & Grosse 2015): natural gradient descent with the
// Fisher matrix of each layer approximated by a Kronecker product Ḡ⊗Ā of the
// second moments of its inputs and of the gradients by its pre-activations. For
// a layer's gradient g, (inputs+1)×outputs, and damping λ
//
//	Ā ← w·Ā + (1-w)·E[ā āᵀ],  Ḡ ← w·Ḡ + (1-w)·E[s sᵀ],  w = min(1-1/k, CovDecay)
//	π = √((tr Ā/dim Ā)/(tr Ḡ/dim Ḡ))
//	d = ν·(Ā + π√λ·I)⁻¹ g (Ḡ + √λ/π·I)⁻¹ + WeightDecay·θ
//	v ← Momentum·v + d
//	θ ← θ - η·v
//
// with ν = min(1, √(KLClip/Σ η²<d, g>)) (Ba, Grosse & Martens 2017; η are the
// rates before a meta-step moves them, without the factor of a schedule: the schedule
// shortens clipped steps too). The targets that s comes from are drawn
// from the model's own distribution (the true Fisher), or are the batch's with
// Empirical. A KL clip takes back what a larger η adds: set it to 0 where APO tunes
// the rate. Parameters that are no layer's weight matrix, layers whose weights
// are used more than once and those larger than MaxDim get the plain gradient
// (Trainer.Notes names them). The factors of a convolution are those of Grosse &
// Martens (2016): Ā is the mean over the examples of the sum over the patches, Ḡ
// that of the mean over the positions.
//
// PatchesPerDim bounds the patches that Ā of a convolution is made of: so many for each of
// its rows are drawn at random from those of all images, and scaled so that the
// expectation is Ā. KFAC takes all, as the authors' TensorFlow code does by default; with
// _SUB_SAMPLE_PATCHES that draws 3 for each row.
//
// The inverses are computed in float64. Factors that are not finite and matrices
// that cannot be inverted are left out and counted (Trainer.Fallbacks): the
// inverses from before stay, at first the plain gradient. Where the batch is small
// beside a layer, a Trainer's step takes products with the batch's N rows ā and s in
// place of those with g: d = (āĀ⁻¹)ᵀ(sḠ⁻¹), to rounding. Make it with KFAC.
type KFACConfig struct {
	rule.OptimizerBase
	LR           float64 `json:"lr"`
	Momentum     float64 `json:"momentum"`      // at least 0, below 1
	Damping      float64 `json:"damping"`       // λ, above 0
	CovDecay     float64 `json:"cov_decay"`     // at least 0, below 1
	KLClip       float64 `json:"kl_clip"`       // 0 for none
	FactorEvery  int     `json:"factor_every"`  // steps between updates of Ā and Ḡ
	InverseEvery int     `json:"inverse_every"` // steps between inversions
	Empirical    bool    `json:"empirical"`
	WeightDecay  float64 `json:"weight_decay"`
	MaxDim       int     `json:"max_dim"` // 0 for no limit
	// PatchesPerDim is 0 for all patches.
	PatchesPerDim float64 `json:"patches_per_dim,omitempty"`
}

var _ rule.Optimizer = (*KFACConfig)(nil)

// KFAC has momentum 0.9, damping 1e-3, averages with 0.95, a KL clip of 1e-3,
// factors every 10 and inverses every 100 steps, a limit of 5000 rows or columns.
func KFAC(lr float64) *KFACConfig {
	return &KFACConfig{LR: lr, Momentum: 0.9, Damping: 1e-3, CovDecay: 0.95, KLClip: 1e-3, FactorEvery: 10, InverseEvery: 100, MaxDim: rule.DefaultMaxDim}
}

// Name implements rule.Optimizer.
func (c *KFACConfig) Name() string { return "kfac" }

// LearningRate implements rule.Optimizer.
func (c *KFACConfig) LearningRate() float64 { return c.LR }

// Validate implements rule.Optimizer.
func (c *KFACConfig) Validate() error {
	return rule.FirstFailed(c.Name(), rule.Positive("lr", c.LR), rule.Fraction("momentum", c.Momentum), rule.Positive("damping", c.Damping),
		rule.Fraction("cov_decay", c.CovDecay), rule.NotNegative("kl_clip", c.KLClip), rule.AtLeastOne("factor_every", c.FactorEvery),
		rule.AtLeastOne("inverse_every", c.InverseEvery), rule.NotNegative("weight_decay", c.WeightDecay), rule.NotNegative("max_dim", float64(c.MaxDim)),
		rule.NotNegative("patches_per_dim", c.PatchesPerDim))
}

// DrawsTargets implements rule.Optimizer.
func (c *KFACConfig) DrawsTargets() bool { return !c.Empirical }

// Start implements rule.Optimizer.
func (c *KFACConfig) Start(t *rule.Task) (rule.Rule, error) {
	if err := checkCurvature(t, c.Name()); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startKFAC[float32], startKFAC[float64])
	if err != nil {
		return nil, err
	}
	return start(c, t), nil
}

func startKFAC[T apoops.Float](c *KFACConfig, t *rule.Task) rule.Rule {
	return newBlockwise(t, blockwiseSettings{c.Momentum, c.WeightDecay, c.KLClip}, func(blocks []*gradientBlock[T]) preconditioner[T] {
		k := &kfac[T]{damping: c.Damping, inverses: make([]*inverse[T], len(blocks))}
		k.curvature = newCurvature[T](t, curvatureSettings{
			name: c.Name(), decay: c.CovDecay, factorEvery: c.FactorEvery, refreshEvery: c.InverseEvery,
			empirical: c.Empirical, maxDim: c.MaxDim, patchesPerDim: c.PatchesPerDim,
		})
		for _, l := range k.layers {
			v := &inverse[T]{rows: l.Rows, cols: l.Cols, a: make([]T, l.Rows*l.Rows), g: make([]T, l.Cols*l.Cols), half: make([]T, l.Rows*l.Cols), damped: make([]float64, 2)}
			array.Identity(v.a, l.Rows, 1)
			array.Identity(v.g, l.Cols, 1)
			v.stored = []*tensor.Dense{array.Matrix(v.a, l.Rows, l.Rows), array.Matrix(v.g, l.Cols, l.Cols)}
			t.Precision.KeepStored(precision.Inverses, v.stored...)
			k.inverses[l.block] = v
		}
		return k
	})
}

// kfac is the preconditioner of KFAC.
type kfac[T apoops.Float] struct {
	*curvature[T]
	damping  float64
	inverses []*inverse[T] // by block, nil for the plain gradient
	largest  float64       // product of the norms of a block's inverses; 0 for not known
	inverted []float64     // one number where λ is learned: that of the inverses; else nil
}

// inverse has the damped inverses of a block's factors.
type inverse[T apoops.Float] struct {
	rows, cols int
	a, g       []T
	stored     []*tensor.Dense // a and g
	half       []T             // Ā⁻¹·g
	damped     []float64       // what was added to the diagonals of Ā and Ḡ; 0 before the first
}

func (k *kfac[T]) observe(in rule.Input, _ []*gradientBlock[T]) (failed int, err error) {
	if err := k.ready(in, k.averages(in.T)); err != nil {
		return 0, err
	}
	failed, err = k.update(in, false)
	if err != nil {
		return failed, err
	}
	again := k.renew
	if k.refreshes(in.T) {
		again = k.invertAll
	}
	more, err := again()
	return failed + more, err
}

// invertAll computes the inverses of all blocks.
func (k *kfac[T]) invertAll() (failed int, err error) {
	fresh, failed, err := k.decompose(k.invert, func(l *factors[T]) []*tensor.Dense { return k.inverses[l.block].stored })
	for _, l := range fresh {
		k.inverses[l.block].damped[0], k.inverses[l.block].damped[1] = k.dampings(l)
	}
	if k.inverted != nil {
		k.inverted[0] = k.damping
	}
	return failed, err
}

// dampings are π√λ and √λ/π of a block.
func (k *kfac[T]) dampings(l *factors[T]) (a, g float64) {
	pi := math.Sqrt(trace(l.a, l.Rows) / float64(l.Rows) / (trace(l.g, l.Cols) / float64(l.Cols)))
	if !array.IsFinite(pi) || pi == 0 {
		pi = 1 // a factor is 0
	}
	return pi * math.Sqrt(k.damping), math.Sqrt(k.damping) / pi
}

// invert computes the damped inverses of a block. After an error they are as
// before.
func (k *kfac[T]) invert(l *factors[T]) error {
	v := k.inverses[l.block]
	onA, onG := k.dampings(l)
	a, err := dampedInverse(l.a, l.Rows, onA)
	if err != nil {
		return err
	}
	g, err := dampedInverse(l.g, l.Cols, onG)
	if err != nil {
		return err
	}
	return store[T](k.t.Precision, v.stored, a, g)
}

// store rounds float64 matrices into arrays that are kept as inverses are, unless one of
// them overflows.
func store[T apoops.Float](p *precision.Precision, to []*tensor.Dense, from ...[]float64) error {
	limit := p.Limit(precision.Inverses)
	for _, m := range from {
		for _, v := range m {
			if !array.IsFinite(float64(T(v))) || math.Abs(v) > limit {
				return errors.New("trainers: a matrix overflows the dtype that it is kept in")
			}
		}
	}
	for i, m := range from {
		x := apoops.Elements[T](to[i])
		for j, v := range m {
			x[j] = T(v)
		}
	}
	p.Round(precision.Inverses, to...)
	return nil
}

func trace[T apoops.Float](a []T, n int) (sum float64) {
	for i := range n {
		sum += float64(a[i*n+i])
	}
	return sum
}

// dampedInverse is (A + damping·I)⁻¹.
func dampedInverse[T apoops.Float](a []T, n int, damping float64) ([]float64, error) {
	x := float64s(a)
	for i := range n {
		x[i*n+i] += damping
	}
	return x, blas.Inverse(n, x)
}

// reach is ‖g‖/λ: the damped inverses are at most 1/(π√λ) and π/√λ. Rounding to 16 bits may
// make a damped matrix almost singular: then it goes by the inverses themselves, and does
// not know those that the step will compute.
func (k *kfac[T]) reach(in rule.Input) float64 {
	if p := k.t.Precision; !p.Low(precision.Factors) && !p.Low(precision.Inverses) {
		return in.Norm / k.damping
	}
	if k.refreshes(in.T) {
		return math.Inf(1)
	}
	if k.largest == 0 {
		for _, l := range k.layers {
			v := k.inverses[l.block]
			k.largest = max(k.largest, array.Norm(v.stored[0])*array.Norm(v.stored[1]))
		}
	}
	return in.Norm * k.largest
}

func (k *kfac[T]) invalidate() { k.largest = 0 }

func (k *kfac[T]) precondition(i int, d, g []T) {
	if k.plain(i) {
		copy(d, g)
		return
	}
	v := k.inverses[i]
	n, m := v.rows, v.cols
	blas.Gemm(false, false, n, m, n, 1, v.a, n, g, m, 0, v.half, m)
	blas.Gemm(false, false, n, m, m, 1, v.half, m, v.g, m, 0, d, m)
}

func (k *kfac[T]) state() []checkpoint.NamedTensor {
	all := k.curvature.state()
	for _, l := range k.layers {
		v := k.inverses[l.block]
		all = append(all,
			checkpoint.NamedTensor{Name: l.Name + "/inverse/A", Value: v.stored[0]},
			checkpoint.NamedTensor{Name: l.Name + "/inverse/G", Value: v.stored[1]})
		if k.inverted != nil {
			all = append(all, checkpoint.NamedTensor{Name: l.Name + "/inverse/dampings", Value: array.Vector(v.damped)})
		}
	}
	if k.inverted != nil {
		all = append(all, checkpoint.NamedTensor{Name: "inverse/damping", Value: array.Vector(k.inverted)})
	}
	return all
}
