package curvature

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/checkpoint"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/precision"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// curvature keeps running averages of the Kronecker factors of the blocks'
// Fisher matrices: at the k-th update, with w = min(1 - 1/k, decay),
//
//	Ā ← w·Ā + (1-w)·E[ā āᵀ],  Ḡ ← w·Ḡ + (1-w)·E[s sᵀ].
type curvature[T apoops.Float] struct {
	s       curvatureSettings
	t       *rule.Task
	kept    graph.Shapes[*graph.Curvature]
	graph   *graph.Curvature             // the last used
	bind    func(*graph.Curvature) error // of what a new graph reads, nil for nothing
	noise   *apoops.Random
	patches *apoops.Random
	layers  []*factors[T]
	byBlock []*factors[T] // nil for the plain gradient
	vec     array.Vectors[T]
}

// curvatureSettings are the hyperparameters that KFAC and EKFAC share.
type curvatureSettings struct {
	name                      string
	decay                     float64
	factorEvery, refreshEvery int
	empirical, squares        bool
	patchesPerDim             float64
	maxDim                    int
}

// factors are the statistics of one block.
type factors[T apoops.Float] struct {
	graph.Block
	block   int // number among the rule's blocks
	node    int // number in the graph, -1 for none
	a, g    []T
	stored  []*tensor.Dense // a and g
	updates []uint64        // one number
}

// noiseSeed and patchSeed make the seeds of drawn targets and patches others than that of
// dropout's masks.
const (
	noiseSeed = 0xf15e12
	patchSeed = 0x9a7c4e5
)

func newCurvature[T apoops.Float](t *rule.Task, s curvatureSettings) *curvature[T] {
	c := &curvature[T]{s: s, t: t, patches: apoops.NewRandom(t.Seed ^ patchSeed), byBlock: make([]*factors[T], len(t.Blocks))}
	for i, b := range t.Blocks {
		if !b.Matrix || rule.TooLarge(b, s.maxDim) {
			continue
		}
		l := &factors[T]{
			Block: b, block: i, node: -1, a: make([]T, b.Rows*b.Rows), g: make([]T, b.Cols*b.Cols), updates: []uint64{0},
		}
		l.stored = []*tensor.Dense{array.Matrix(l.a, l.Rows, l.Rows), array.Matrix(l.g, l.Cols, l.Cols)}
		t.Precision.KeepStored(precision.Factors, l.stored...)
		c.layers, c.byBlock[i] = append(c.layers, l), l
	}
	if !s.empirical && t.Targets == nil {
		c.noise = apoops.NewRandom(t.Seed ^ noiseSeed)
	}
	return c
}

// checkCurvature reports a task without a loss.
func checkCurvature(t *rule.Task, name string) error {
	if t.Source == nil {
		return errors.Errorf("trainers: %s needs the graph of a loss: it cannot be a meta-optimizer", name)
	}
	return nil
}

// Prepare chooses the graph for batches of these shapes, and builds it where it is not
// kept.
func (c *curvature[T]) Prepare(batch graph.Batch) error {
	if len(c.layers) == 0 {
		return nil
	}
	k, ok := c.kept.Find(batch, nil)
	if !ok {
		var err error
		if k, err = c.build(batch); err == nil && c.bind != nil {
			err = c.bind(k)
		}
		if err != nil {
			return err
		}
		c.kept.Limit = c.t.Graphs
		if err := c.kept.Add(batch, nil, k); err != nil {
			return err
		}
	}
	c.graph = k
	for i, l := range c.layers {
		if l.node = -1; k.Has(i) {
			l.node = i
		}
	}
	return nil
}

// ready is Prepare for a step. One that does not run the graph needs none of its shapes,
// but to know which blocks have factors.
func (c *curvature[T]) ready(in rule.Input, runs bool) error {
	if c.graph != nil && !runs {
		return nil
	}
	return c.Prepare(in.Batch)
}

func (c *curvature[T]) build(batch graph.Batch) (*graph.Curvature, error) {
	config := graph.CurvatureConfig{Source: c.t.Source, Params: c.t.Model, Batch: batch, Random: c.t.Random, Noise: c.noise, Squares: c.s.squares,
		PatchesPerDim: c.s.patchesPerDim, Patches: c.patches}
	for _, l := range c.layers {
		config.Blocks = append(config.Blocks, l.Block)
	}
	k, err := graph.NewCurvature(config)
	if err != nil {
		if errors.Is(err, graph.ErrNoSample) {
			err = errors.WithMessage(err, "set Sample, or Empirical to use the targets of the batch")
		}
		return nil, errors.WithMessagef(err, "trainers: %s: %v", c.s.name, batch)
	}
	return k, nil
}

// run computes moments or squares on the step's batch.
func (c *curvature[T]) run(in rule.Input, moments, squares bool) error {
	batch := in.Batch
	if c.t.Targets != nil {
		batch.T = c.t.Targets(in.T - 1)
	}
	c.patches.SetStep(int64(in.T))
	if c.noise != nil {
		c.noise.SetStep(int64(in.T))
	}
	if err := c.graph.Feed(batch); err != nil {
		return err
	}
	if err := c.t.Precision.Apply(c.graph); err != nil {
		return err
	}
	return c.graph.RunFor(moments, squares)
}

// runScaled is run, again with a lower loss scale where the results are not finite.
func (c *curvature[T]) runScaled(in rule.Input, moments, squares bool) error {
	for {
		if err := c.run(in, moments, squares); err != nil {
			return err
		}
		finite, err := c.finite(moments, squares)
		if err != nil || finite || !c.t.Precision.BackOff() {
			return err
		}
	}
}

// finite reports whether what was computed is finite. Where no loss scale could be at
// fault it does not look.
func (c *curvature[T]) finite(moments, squares bool) (bool, error) {
	if c.t.Precision.LossScale() == 1 {
		return true, nil
	}
	for _, l := range c.active() {
		if moments {
			a, g, err := c.graph.Moments(l.node)
			if err != nil || !array.AllFinite(a, g) {
				return false, err
			}
		}
		if squares {
			d, err := c.graph.Squares(l.node)
			if err != nil || !array.AllFinite(d) {
				return false, err
			}
		}
	}
	return true, nil
}

// plain reports whether a block gets the plain gradient.
func (c *curvature[T]) plain(block int) bool {
	return c.byBlock[block] == nil || c.byBlock[block].node < 0
}

// manyUses is the reason that a weight matrix has no factors.
const manyUses = "its layer is used more than once, or has an op of its own; a penalty on the weights in the cost is a use too"

// notes lists the blocks that get the plain gradient.
func (c *curvature[T]) notes() []string {
	var s rule.Simplified
	for i, b := range c.t.Blocks {
		switch {
		case !b.Matrix:
			s.Add(b, c.t.Reason(b, rule.NoMatrix))
		case rule.TooLarge(b, c.s.maxDim):
			s.Add(b, rule.Beyond(c.s.maxDim))
		case c.graph != nil && c.byBlock[i].node < 0:
			s.Add(b, c.t.Reason(b, manyUses))
		}
	}
	return s.Lines(c.s.name, "plain gradient")
}

func (c *curvature[T]) graphs() rule.Graphs { return c }

// active lists the layers that have factors.
func (c *curvature[T]) active() []*factors[T] {
	var all []*factors[T]
	for _, l := range c.layers {
		if l.node >= 0 {
			all = append(all, l)
		}
	}
	return all
}

// refreshes reports whether the factors are to be decomposed at step t.
func (c *curvature[T]) refreshes(t int) bool { return (t-1)%c.s.refreshEvery == 0 }

// averages reports whether the factors of step t are averaged into the running ones.
func (c *curvature[T]) averages(t int) bool { return (t-1)%c.s.factorEvery == 0 }

// update averages the factors of a step into the running ones, at the steps that do
// so. Factors of a block that are not finite, or beyond the range of 16 bits, are left out
// and counted.
func (c *curvature[T]) update(in rule.Input, squares bool) (failed int, err error) {
	moments := c.averages(in.T)
	if c.graph == nil || (!moments && !squares) {
		return 0, nil
	}
	if err := c.runScaled(in, moments, squares); err != nil || !moments {
		return 0, err
	}
	for _, l := range c.active() {
		a, g, err := c.graph.Moments(l.node)
		if err != nil {
			return failed, err
		}
		if !c.t.Precision.Fits(precision.Factors, a, g) {
			failed++
			continue
		}
		l.updates[0]++
		w := min(1-1/float64(l.updates[0]), c.s.decay)
		c.vec.Average(l.a, apoops.Elements[T](a), T(w), T(1-w))
		c.vec.Average(l.g, apoops.Elements[T](g), T(w), T(1-w))
		c.t.Precision.Round(precision.Factors, l.stored...)
	}
	return failed, nil
}

func (c *curvature[T]) state() []checkpoint.NamedTensor {
	var all []checkpoint.NamedTensor
	for _, l := range c.layers {
		all = append(all,
			checkpoint.NamedTensor{Name: l.Name + "/A", Value: l.stored[0]},
			checkpoint.NamedTensor{Name: l.Name + "/G", Value: l.stored[1]},
			checkpoint.NamedTensor{Name: l.Name + "/updates", Value: tensor.New(tensor.WithShape(1), tensor.WithBacking(l.updates))})
	}
	return all
}
