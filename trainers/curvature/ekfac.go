package curvature

import (
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// EKFACConfig is EKFAC (George et al. 2018): natural gradient descent in the
// eigenbases U_A, U_G of KFAC's factors Ā, Ḡ, with the second moments of the
// gradient itself in place of the products of eigenvalues. For a layer's gradient
// g, (inputs+1)×outputs, and damping λ
//
//	S ← CovDecay·S + (1-CovDecay)·E[(U_Aᵀ ā sᵀ U_G)²]
//	d = ν·U_A((U_Aᵀ g U_G)/(S + λ))U_Gᵀ + WeightDecay·θ
//	v ← Momentum·v + d
//	θ ← θ - η·v
//
// The bases are computed every BasisEvery steps; S restarts there, with the first
// value as it is. Ā, Ḡ, the targets, PatchesPerDim, ν and the parameters that get the plain
// gradient are those of KFACConfig. The mean E is over the examples of the batch.
//
// The bases are computed in the dtype of the weights where there is a LAPACK, in
// float64 otherwise. Factors and squares that are not finite and decompositions
// that fail are left out and counted (Trainer.Fallbacks): the bases and S from
// before stay; the first bases are I, the first S 1. Make it with EKFAC.
type EKFACConfig struct {
	rule.OptimizerBase
	LR          float64 `json:"lr"`
	Momentum    float64 `json:"momentum"`     // at least 0, below 1
	Damping     float64 `json:"damping"`      // λ, above 0
	CovDecay    float64 `json:"cov_decay"`    // at least 0, below 1
	KLClip      float64 `json:"kl_clip"`      // 0 for none
	FactorEvery int     `json:"factor_every"` // steps between updates of Ā and Ḡ
	BasisEvery  int     `json:"basis_every"`  // steps between decompositions
	ScaleEvery  int     `json:"scale_every"`  // steps between updates of S
	Empirical   bool    `json:"empirical"`
	WeightDecay float64 `json:"weight_decay"`
	MaxDim      int     `json:"max_dim"` // 0 for no limit
	// PatchesPerDim is 0 for all patches.
	PatchesPerDim float64 `json:"patches_per_dim,omitempty"`
}

var _ rule.Optimizer = (*EKFACConfig)(nil)

// EKFAC has KFAC's settings, bases every 100 steps and scalings every step. The
// scalings of a large convolution cost much: two products of U_A and U_G with the
// gradient of each example. Set MaxDim lower, or ScaleEvery higher, where that is
// too slow.
func EKFAC(lr float64) *EKFACConfig {
	return &EKFACConfig{LR: lr, Momentum: 0.9, Damping: 1e-3, CovDecay: 0.95, KLClip: 1e-3, FactorEvery: 10, BasisEvery: 100, ScaleEvery: 1, MaxDim: rule.DefaultMaxDim}
}

// Name implements rule.Optimizer.
func (c *EKFACConfig) Name() string { return "ekfac" }

// LearningRate implements rule.Optimizer.
func (c *EKFACConfig) LearningRate() float64 { return c.LR }

// Validate implements rule.Optimizer.
func (c *EKFACConfig) Validate() error {
	return rule.FirstFailed(c.Name(), rule.Positive("lr", c.LR), rule.Fraction("momentum", c.Momentum), rule.Positive("damping", c.Damping),
		rule.Fraction("cov_decay", c.CovDecay), rule.NotNegative("kl_clip", c.KLClip), rule.AtLeastOne("factor_every", c.FactorEvery),
		rule.AtLeastOne("basis_every", c.BasisEvery), rule.AtLeastOne("scale_every", c.ScaleEvery),
		rule.NotNegative("weight_decay", c.WeightDecay), rule.NotNegative("max_dim", float64(c.MaxDim)),
		rule.NotNegative("patches_per_dim", c.PatchesPerDim))
}

// DrawsTargets implements rule.Optimizer.
func (c *EKFACConfig) DrawsTargets() bool { return !c.Empirical }

// Start implements rule.Optimizer.
func (c *EKFACConfig) Start(t *rule.Task) (rule.Rule, error) {
	if err := checkCurvature(t, c.Name()); err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startEKFAC[float32], startEKFAC[float64])
	if err != nil {
		return nil, err
	}
	return start(c, t), nil
}

func startEKFAC[T apoops.Float](c *EKFACConfig, t *rule.Task) rule.Rule {
	return newBlockwise(t, blockwiseSettings{c.Momentum, c.WeightDecay, c.KLClip}, func(blocks []*gradientBlock[T]) preconditioner[T] {
		k := &ekfac[T]{damping: T(c.Damping), initial: c.Damping, decay: c.CovDecay, scaleEvery: c.ScaleEvery, bases: make([]*basis[T], len(blocks))}
		k.curvature = newCurvature[T](t, curvatureSettings{
			name: c.Name(), decay: c.CovDecay, factorEvery: c.FactorEvery, refreshEvery: c.BasisEvery,
			empirical: c.Empirical, squares: true, maxDim: c.MaxDim, patchesPerDim: c.PatchesPerDim,
		})
		k.bind = k.bindBases
		for _, l := range k.layers {
			b := newBasis[T](l.Rows, l.Cols)
			t.Precision.KeepStored(precision.Inverses, b.stored[:2]...)
			t.Precision.KeepStored(precision.Factors, b.stored[2])
			k.bases[l.block] = b
		}
		k.divide = func(lo, hi int) {
			s, x := k.now.s[lo:hi], k.now.x[lo:hi]
			for i, v := range s {
				x[i] /= v + k.damping
			}
		}
		return k
	})
}

// ekfac is the preconditioner of EKFAC.
type ekfac[T apoops.Float] struct {
	*curvature[T]
	damping    T
	initial    float64 // λ at the start
	decay      float64
	scaleEvery int
	bases      []*basis[T] // by block, nil for the plain gradient
	now        *basis[T]   // the current block
	divide     func(lo, hi int)
	inner      blas.Inner[T]
}

// basis has the eigenvectors, as rows, of a block's factors and the scalings S
// in that basis.
type basis[T apoops.Float] struct {
	rows, cols int
	ua, ug, s  []T
	stored     []*tensor.Dense // ua, ug and s
	updates    []uint64        // of S since the basis was computed, one number
	half, x    []T
}

func newBasis[T apoops.Float](rows, cols int) *basis[T] {
	b := &basis[T]{
		rows: rows, cols: cols, ua: make([]T, rows*rows), ug: make([]T, cols*cols), s: make([]T, rows*cols),
		updates: []uint64{0}, half: make([]T, rows*cols), x: make([]T, rows*cols),
	}
	array.Identity(b.ua, rows, 1)
	array.Identity(b.ug, cols, 1)
	array.Fill(b.s, 1)
	b.stored = []*tensor.Dense{array.Matrix(b.ua, rows, rows), array.Matrix(b.ug, cols, cols), array.Matrix(b.s, rows, cols)}
	return b
}

// bindBases has a graph read the bases in place.
func (k *ekfac[T]) bindBases(g *graph.Curvature) error {
	for i, l := range k.layers {
		if !g.Has(i) {
			continue
		}
		b := k.bases[l.block]
		if err := g.SetBases(i, b.stored[0], b.stored[1]); err != nil {
			return err
		}
	}
	return nil
}

// observe needs a second pass only where the bases change: the squares of a step
// are those in its new bases.
func (k *ekfac[T]) observe(in rule.Input, _ []*gradientBlock[T]) (failed int, err error) {
	refresh := k.refreshes(in.T)
	scale := refresh || (in.T-1)%k.scaleEvery == 0
	if err := k.ready(in, scale || k.averages(in.T)); err != nil || k.graph == nil {
		return 0, err
	}
	if failed, err = k.update(in, scale && !refresh); err != nil {
		return failed, err
	}
	if refresh {
		more, err := k.rotateAll()
		if failed += more; err != nil {
			return failed, err
		}
		if err := k.runScaled(in, false, true); err != nil {
			return failed, err
		}
	}
	if !scale {
		return failed, nil
	}
	more, err := k.rescale()
	return failed + more, err
}

// rotateAll computes new bases. S starts anew in them.
func (k *ekfac[T]) rotateAll() (failed int, err error) {
	fresh, failed, err := k.decompose(k.rotate, func(l *factors[T]) []*tensor.Dense { return k.bases[l.block].stored[:2] })
	for _, l := range fresh {
		k.bases[l.block].updates[0] = 0
	}
	return failed, err
}

// rotate computes the bases of a block. After an error they are as before.
func (k *ekfac[T]) rotate(l *factors[T]) error {
	ua, err := eigenvectors(l.a, l.Rows)
	if err != nil {
		return err
	}
	ug, err := eigenvectors(l.g, l.Cols)
	if err != nil {
		return err
	}
	b := k.bases[l.block]
	copy(b.ua, ua)
	copy(b.ug, ug)
	k.t.Precision.Round(precision.Inverses, b.stored[:2]...)
	return nil
}

func eigenvectors[T apoops.Float](a []T, n int) ([]T, error) {
	u := append([]T(nil), a...)
	return u, blas.Eigen(n, u, make([]T, n))
}

// rescale averages the squares of the last run into S.
func (k *ekfac[T]) rescale() (failed int, err error) {
	for _, l := range k.active() {
		d, err := k.graph.Squares(l.node)
		if err != nil {
			return failed, err
		}
		if !k.t.Precision.Fits(precision.Factors, d) {
			failed++
			continue
		}
		b := k.bases[l.block]
		w := k.decay
		if b.updates[0] == 0 {
			w = 0
		}
		b.updates[0]++
		k.vec.Average(b.s, apoops.Elements[T](d), T(w), T(1-w))
		k.t.Precision.Round(precision.Factors, b.stored[2])
	}
	return failed, nil
}

// reach is ‖g‖/λ: the bases are orthogonal and S is not negative.
func (k *ekfac[T]) reach(in rule.Input) float64 { return in.Norm / float64(k.damping) }

func (k *ekfac[T]) graphs() rule.Graphs { return k }

func (k *ekfac[T]) invalidate() {}

func (k *ekfac[T]) precondition(i int, d, g []T) {
	if k.plain(i) {
		copy(d, g)
		return
	}
	b := k.bases[i]
	n, m := b.rows, b.cols
	blas.Gemm(false, false, n, m, n, 1, b.ua, n, g, m, 0, b.half, m)
	blas.Gemm(false, true, n, m, m, 1, b.half, m, b.ug, m, 0, b.x, m)
	k.now = b
	par.For(n*m, par.Grain, k.divide)
	k.back(b, d)
}

func (k *ekfac[T]) state() []checkpoint.NamedTensor {
	all := k.curvature.state()
	for _, l := range k.layers {
		b := k.bases[l.block]
		all = append(all,
			checkpoint.NamedTensor{Name: l.Name + "/basis/A", Value: b.stored[0]},
			checkpoint.NamedTensor{Name: l.Name + "/basis/G", Value: b.stored[1]},
			checkpoint.NamedTensor{Name: l.Name + "/S", Value: b.stored[2]},
			checkpoint.NamedTensor{Name: l.Name + "/scalings", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(b.updates))})
	}
	return all
}
