package curvature

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// ShampooConfig is Shampoo (Gupta, Koren & Singer 2018). For a weight matrix with
// the gradient g
//
//	L ← L + g gᵀ,  R ← R + gᵀg, from ε·I  (Beta2 = 1), or
//	L ← β·L + (1-β)·g gᵀ,  R ← β·R + (1-β)·gᵀg  (β = Beta2 < 1)
//	d = L^(-1/4) g R^(-1/4) + WeightDecay·θ
//	v ← Momentum·v + d
//	θ ← θ - η·v
//
// The roots are computed every RootEvery steps, in float64, from an
// eigendecomposition whose eigenvalues are kept above rounding. Grafting gives the
// preconditioned gradient of each block the norm that another rule's direction has
// (Anil et al. 2020). Matrices with more than BlockSize rows or columns are cut
// into blocks with statistics of their own. Parameters that are no matrix have
// diagonal statistics, d = g/√(ε + Σg²) or with averages.
//
// trainers.LearnEpsilon learns ε of sums (Beta2 = 1). L and R are kept without it then.
//
// Statistics that are not finite and decompositions that fail are left out and
// counted (Trainer.Fallbacks): the roots from before stay, at first the identity.
// Make it with Shampoo.
type ShampooConfig struct {
	rule.OptimizerBase
	LR          float64 `json:"lr"`
	Momentum    float64 `json:"momentum"`   // at least 0, below 1
	Eps         float64 `json:"eps"`        // ε, above 0
	Beta2       float64 `json:"beta2"`      // above 0, at most 1
	RootEvery   int     `json:"root_every"` // steps between roots
	Grafting    string  `json:"grafting"`   // none, sgd, rmsprop or adam
	BlockSize   int     `json:"block_size"` // 0 for none
	WeightDecay float64 `json:"weight_decay"`
}

var _ rule.Optimizer = (*ShampooConfig)(nil)

// Shampoo has momentum 0.9, ε = 1e-4, sums of all steps, roots every 20 steps, no
// grafting and blocks of at most 1024.
func Shampoo(lr float64) *ShampooConfig {
	return &ShampooConfig{LR: lr, Momentum: 0.9, Eps: 1e-4, Beta2: 1, RootEvery: 20, Grafting: "none", BlockSize: 1024}
}

// Name implements rule.Optimizer.
func (c *ShampooConfig) Name() string { return "shampoo" }

// LearningRate implements rule.Optimizer.
func (c *ShampooConfig) LearningRate() float64 { return c.LR }

// Validate implements rule.Optimizer.
func (c *ShampooConfig) Validate() error {
	if _, ok := grafts[c.Grafting]; !ok {
		return errors.Errorf("trainers: shampoo: grafting is %q: it must be none, sgd, rmsprop or adam", c.Grafting)
	}
	return rule.FirstFailed(c.Name(), rule.Positive("lr", c.LR), rule.Fraction("momentum", c.Momentum), rule.Positive("eps", c.Eps),
		rule.Require("beta2", c.Beta2, c.Beta2 > 0 && c.Beta2 <= 1, "above 0 and at most 1"), rule.AtLeastOne("root_every", c.RootEvery),
		rule.NotNegative("block_size", float64(c.BlockSize)), rule.NotNegative("weight_decay", c.WeightDecay))
}

// Start implements rule.Optimizer.
func (c *ShampooConfig) Start(t *rule.Task) (rule.Rule, error) {
	if t.Blocks == nil {
		return nil, errors.Errorf("trainers: %s cannot be a meta-optimizer", c.Name())
	}
	graft, err := startGraft(c.Grafting, t)
	if err != nil {
		return nil, err
	}
	start, err := apoops.Choose(t.Params[0].Value.Dtype(), startShampoo[float32], startShampoo[float64])
	if err != nil {
		return nil, err
	}
	return start(c, t, graft), nil
}

func startShampoo[T apoops.Float](c *ShampooConfig, t *rule.Task, graft rule.Rule) rule.Rule {
	return newBlockwise(t, blockwiseSettings{momentum: c.Momentum, decay: c.WeightDecay}, func(blocks []*gradientBlock[T]) preconditioner[T] {
		k := &shampoo[T]{c: *c, store: statistics[T]{precision: t.Precision}, members: t.Members}
		if graft != nil {
			k.graft = newGrafting[T](graft, t, len(blocks))
		}
		for _, b := range blocks {
			s := newShampooBlock[T](b.Block, c)
			k.store.keep(s)
			k.blocks, k.parts = append(k.blocks, s), append(k.parts, s.parts...)
		}
		return k
	})
}

// shampoo is the preconditioner of Shampoo.
type shampoo[T apoops.Float] struct {
	c      ShampooConfig
	blocks []*shampooBlock[T]
	parts  []*shampooPart[T] // of all blocks
	graft  *grafting[T]      // nil without
	inner  blas.Inner[T]
	store  statistics[T]
	// eps is ε where it is learned: the statistics are without it then. Else 0.
	eps float64

	members collective.Communicator // nil for one process
}

func (k *shampoo[T]) notes() []string {
	var s rule.Simplified
	for _, b := range k.blocks {
		if len(b.parts) == 0 {
			s.Add(b.Block, rule.NoMatrix)
		}
	}
	return s.Lines(k.c.Name(), "diagonal statistics")
}

// shampooBlock is a block with its parts; a block that is no matrix has a diagonal
// in place of them.
type shampooBlock[T apoops.Float] struct {
	graph.Block
	parts    []*shampooPart[T]
	diagonal []T
	stored   []*tensor.Dense // the diagonal
}

func newShampooBlock[T apoops.Float](b graph.Block, c *ShampooConfig) *shampooBlock[T] {
	s := &shampooBlock[T]{Block: b}
	if !b.Matrix {
		s.diagonal = make([]T, b.Rows*b.Cols)
		array.Fill(s.diagonal, T(c.Eps))
		s.stored = []*tensor.Dense{array.Matrix(s.diagonal, b.Rows, b.Cols)}
		return s
	}
	size := c.BlockSize
	if size == 0 {
		size = max(b.Rows, b.Cols)
	}
	for r := 0; r < b.Rows; r += size {
		for q := 0; q < b.Cols; q += size {
			s.parts = append(s.parts, newShampooPart(r, q, min(size, b.Rows-r), min(size, b.Cols-q), b.Cols, T(c.Eps)))
		}
	}
	return s
}

func (k *shampoo[T]) observe(in rule.Input, g []*gradientBlock[T]) (failed int, err error) {
	if k.graft != nil {
		if err := k.graft.observe(in, g); err != nil {
			return 0, err
		}
	}
	for i, b := range k.blocks {
		// The square of the norm bounds all that is added.
		if !array.IsFinite(float64(T(k.inner.Product(g[i].g, g[i].g)))) {
			failed++
			continue
		}
		if b.diagonal != nil {
			failed += k.store.advance(b.stored, func() { k.accumulate(b.diagonal, g[i].g) })
			continue
		}
		for _, p := range b.parts {
			failed += k.store.advance(p.stored[:2], func() { p.accumulate(g[i].g, T(k.c.Beta2)) })
		}
	}
	again := k.renew
	if (in.T-1)%k.c.RootEvery == 0 {
		again = k.takeRoots
	}
	more, err := again()
	return failed + more, err
}

// takeRoots computes the roots of all parts and counts the failures.
func (k *shampoo[T]) takeRoots() (failed int, err error) {
	return k.rooted(k.parts, func(p *shampooPart[T]) error { return p.takeRoots(k.store.precision, k.eps) })
}

// rooted has the members compute roots of some parts, and counts the failures.
func (k *shampoo[T]) rooted(parts []*shampooPart[T], compute func(p *shampooPart[T]) error) (failed int, err error) {
	w := work[T]{
		members: k.members,
		compute: func(i int) error { return compute(parts[i]) },
		results: func(i int) []*tensor.Dense { return parts[i].stored[2:] },
	}
	for _, p := range parts {
		w.cost = append(w.cost, cubes(p.rows, p.cols))
	}
	failures, err := w.do()
	for i, p := range parts {
		if p.spectra != nil && !failures[i] {
			p.spectra.eps[0] = k.eps
		}
	}
	return count(failures), err
}

// accumulate adds squares to a diagonal.
func (k *shampoo[T]) accumulate(h, g []T) {
	keep, take := T(k.c.Beta2), T(1)
	if k.c.Beta2 < 1 {
		take = T(1 - k.c.Beta2)
	}
	for i, x := range g {
		h[i] = keep*h[i] + take*x*x
	}
}

// reach is ‖g‖/√ε: with sums of all steps the statistics are at least ε. The
// grafted norm is that of the other rule. Rounded to 16 bits they may be less.
func (k *shampoo[T]) reach(in rule.Input) float64 {
	if p := k.store.precision; k.c.Beta2 < 1 || p.Low(precision.Factors) || p.Low(precision.Inverses) {
		return math.Inf(1)
	}
	for _, b := range k.blocks {
		most := 0.0
		for _, h := range b.diagonal {
			most = max(most, float64(h))
		}
		for _, p := range b.parts {
			most = max(most, p.largest())
		}
		if !array.Within[T](most + in.Norm*in.Norm + k.eps) {
			return math.Inf(1)
		}
	}
	reach := in.Norm / math.Sqrt(k.least())
	if k.graft != nil {
		reach = max(reach, k.graft.reach(in))
	}
	return reach
}

func (k *shampoo[T]) graphs() rule.Graphs { return nil }

func (k *shampoo[T]) invalidate() {
	if k.graft != nil {
		k.graft.rule.Invalidate()
	}
}

func (k *shampoo[T]) precondition(i int, d, g []T) {
	b := k.blocks[i]
	for j, h := range b.diagonal {
		d[j] = g[j] / T(math.Sqrt(float64(h)+k.eps))
	}
	for _, p := range b.parts {
		p.precondition(d, g)
	}
	if k.graft != nil {
		k.graft.scale(i, d)
	}
}

func (k *shampoo[T]) state() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for _, b := range k.blocks {
		if b.diagonal != nil {
			all = append(all, checkpoint.NamedTensor{Name: b.Name + "/h", Value: b.stored[0]})
		}
		for _, p := range b.parts {
			all = append(all, p.state(b.Name)...)
		}
	}
	if k.graft != nil {
		for _, t := range k.graft.rule.State() {
			t.Name = "graft/" + t.Name
			all = append(all, t)
		}
	}
	return all
}
