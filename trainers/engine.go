package trainers

import (
	"slices"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/average"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/record"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// engine is what Trainer and Solver share: everything that follows the
// gradient g = ∇J_B(θ) in a step of Algorithm 1.
type engine struct {
	c *config
	// Context has the optimizer, the parameters and the update.
	learn.Context
	learner learn.Learner // nil where K = 0
	// base is what a Trainer's last gradient came from, one of bases; nil before the
	// first step and where gradients come from outside.
	base  *graph.Base
	bases graph.Shapes[*graph.Base]
	guard array.Guard // of B, from the source of B'
	// like are the inputs of a user's graph, whose shapes those of B' must have.
	like []*tensor.Dense
	// kept are the inputs of earlier mini-batches, oldest first: the default B'.
	kept [][]*tensor.Dense
	// data is how many of a batch's inputs are data, 0 for all: those behind them are
	// the same in B and B'.
	data     int
	steps    int
	skipped  int
	left     skips // steps that were left out
	bitsNorm array.PackedNorm
	agreed   bool             // the members of Parallel have the same weights, settings and data
	average  *average.Weights // of Averaged; nil without
	// evaluated are the weights in the place of θ, while they are in use θ: evaluating.
	evaluated  []*tensor.Dense
	evaluating bool
	copies     []NamedTensor   // of undo; nil where no step needed one
	relied     int             // steps in 16 bits that relied on bounds since they were measured
	unclipped  []*tensor.Dense // of batchStep; nil where no step needed it
	loaded     []string        // notes on the checkpoint that was loaded
	// shapes and expected are those of the mini-batches (describeBatch): of the steps
	// taken, and of the run whose checkpoint was loaded; nil where not known.
	shapes, expected map[string]any
}

func newEngine(src graph.Source, params []*graph.Param, blocks []graph.Block, o Optimizer, c *config) (*engine, error) {
	params, blocks, err := rule.Freeze(o, params, blocks)
	if err != nil {
		return nil, err
	}
	if err := c.fit(o, graph.Learned(params)); err != nil {
		return nil, err
	}
	t := &rule.Task{
		Params: graph.Learned(params), Model: params, Blocks: blocks, Source: src,
		Random: apoops.NewRandom(c.seed), Seed: c.seed, Targets: c.targets, Graphs: c.graphs, Members: c.members(), Parts: c.equalParts(),
	}
	if t.Precision, err = c.startPrecision(params); err != nil {
		return nil, err
	}
	e := &engine{c: c, Context: learn.Context{Settings: &c.Settings, Optimizer: o, Task: t}}
	e.bases.Limit, t.Skipped = c.graphs, e.skippedSteps
	if c.clip.on() {
		e.Clip = c.clipAny
	}
	if e.Update, err = learn.NewUpdate(o, t, &c.Settings); err != nil {
		return nil, err
	}
	if err := e.startAverage(); err != nil {
		return nil, err
	}
	if c.K > 0 {
		e.learner, err = c.learner(&e.Context)
	}
	return e, err
}

// batchStep is a mini-batch with its gradient: what a step begins with.
type batchStep struct {
	batch graph.Batch
	tilde []*tensor.Dense // the inputs of B', nil for the default
	loss  float64
	g     []*tensor.Dense // and rows are those of rule.Input
	rows  []graph.Rows
	bits  []graph.Packed // rule.Input.Packed
	// unclipped is learn.Input.Unclipped.
	unclipped []*tensor.Dense
	start     time.Time // of the work on the gradient
}

// step takes the step that follows the gradient of the loss on a mini-batch: it
// advances the rule's state, has the learner move φ at every K-th step, and moves
// the weights. After an error of the meta-step the weights have moved.
func (e *engine) step(b batchStep) (Stats, error) {
	s := Stats{Step: e.steps, Loss: b.loss, SkipsNonFinite: e.c.mostSkips > 0}
	if err := e.notEvaluating(); err != nil {
		return s, err
	}
	e.Task.Precision.Begin(e.steps)
	s.LossScale = e.lossScale()
	norm, err := e.refuse(b)
	if errors.Is(err, errSkip) || errors.Is(err, errLeft) {
		return e.skip(s, b, err)
	}
	if err != nil {
		return s, err
	}
	in := rule.Input{T: e.taken() + 1, G: b.g, Rows: b.rows, Packed: b.bits, Norm: norm, Batch: b.batch, Loss: b.loss}
	scale := e.c.schedule.At(e.steps)
	meta := e.learner != nil && e.learner.Due(e.taken())
	undo := e.secure(in, scale, meta || e.waits())

	metaErr := e.finishMeta(&s, b)
	if e.c.clip.on() {
		in.Norm, err = e.clipGradient(&b, norm)
	}
	var inputs []*tensor.Dense
	if err == nil {
		inputs, err = e.Update.Advance(in, scale, meta)
	}
	if err == nil && metaErr == nil && meta {
		metaErr = e.metaStep(&s, b, inputs, scale)
	}
	if err == nil {
		err = e.Update.Move()
	}
	if err == nil {
		e.round()
		e.average.Add()
	}
	if undoErr := e.undoUnlessFinite(undo); undoErr != nil {
		return s, undoErr
	}
	if err != nil {
		return s, errors.WithMessagef(err, "trainers: step %d", e.steps) // the weights did not move
	}
	return e.finish(s, b, metaErr)
}

// metaStep has the learner move φ, or begin to.
func (e *engine) metaStep(s *Stats, b batchStep, inputs []*tensor.Dense, scale float64) error {
	began := time.Now()
	m, err := e.learner.Learn(&learn.Input{
		Step: e.taken(), Batch: b.batch, Loss: b.loss, G: b.g, Unclipped: b.unclipped, Inputs: inputs, Scale: scale,
		Tilde: func(i int) ([]*tensor.Dense, error) { return e.chooseTilde(b.batch, b.tilde, i) },
	})
	s.MetaTime = time.Since(began)
	return e.learned(s, m, err)
}

// waits reports whether a meta-step waits for the gradient of this step.
func (e *engine) waits() bool { return learn.WaitingOf(e.learner) != nil }

// finishMeta ends a meta-step that waits for the gradient of this step, before it is clipped.
func (e *engine) finishMeta(s *Stats, b batchStep) (err error) {
	w := learn.WaitingOf(e.learner)
	if w == nil {
		return nil
	}
	g := b.g
	if b.rows != nil {
		if g, err = e.base.Grads(); err != nil {
			return e.learned(s, nil, err)
		}
	}
	m, err := w.Finish(b.loss, g)
	return e.learned(s, m, err)
}

// learned takes what a learner says of a meta-step, nil where it has only begun. Of two that end
// at a step, on rates and on P beside them, the first has its statistics.
func (e *engine) learned(s *Stats, m *record.MetaStats, err error) error {
	if err == nil && m != nil {
		if m.Skipped {
			e.skipped++
		}
		if s.Meta == nil {
			s.Meta = m
		} else {
			s.Meta.Skipped = s.Meta.Skipped || m.Skipped
		}
	}
	return errors.WithMessagef(err, "trainers: meta-step at step %d", e.steps)
}

// finish is what follows the move of the weights. err is that of the meta-step.
func (e *engine) finish(s Stats, b batchStep, err error) (Stats, error) {
	s.Rates, s.Hyperparameters = e.rates(), e.hyperparameters()
	if e.base != nil {
		if moveErr := e.base.MoveStatistics(); err == nil {
			err = moveErr
		}
	}
	if s.Meta != nil && e.c.recorder != nil {
		s.Precond = e.Update.Norms()
	}
	e.Task.Precision.Took()
	learn.Watch(e.learner, b.loss)
	e.left.InRow = 0
	if (e.steps+1)%flushEvery == 0 {
		e.flush()
	}
	return e.end(s, b, err)
}

// flushEvery is the number of steps from one flush to the next.
const flushEvery = 100

// flush sets to 0 what is below the normal range of its dtype in the weights and in all else
// that a step depends on. The weights of a dead unit come there by weight decay, averages of
// their gradients do too, and both stay there, for rounding takes back each further step.
// Many processors take a hundred times as long for such numbers.
func (e *engine) flush() {
	for _, t := range e.tensors() {
		array.Flush(t.Value)
	}
}

// end ends a step that was taken or skipped.
func (e *engine) end(s Stats, b batchStep, err error) (Stats, error) {
	e.steps++
	if e.shapes == nil {
		e.shapes = describeBatch(b.batch)
	}
	if !s.StepSkipped {
		if keepErr := e.keep(b.batch); err == nil {
			err = keepErr
		}
	}
	s.BaseTime = time.Since(b.start) - s.MetaTime
	if err == nil && e.c.recorder != nil {
		err = errors.WithMessagef(e.c.recorder.Record(s), "trainers: recording step %d", s.Step)
	}
	return s, err
}

// rates are the learning rates of the step that is next, or under way.
func (e *engine) rates() []float64 {
	if e.Update == nil {
		return nil
	}
	return e.Update.Rates(e.taken(), e.c.schedule.At(e.steps))
}

func (e *engine) phi() []NamedTensor {
	if e.Update == nil {
		return nil
	}
	return e.Update.Phi()
}

// errNotMade is about a Trainer or Solver that is a zero value.
var errNotMade = errors.New("trainers: there is no training: make a Trainer with New or FromProblem, a Solver with Wrap")

// orEmpty is the engine, or for a Trainer or Solver that is a zero value one that
// has nothing.
func (e *engine) orEmpty() *engine {
	if e == nil {
		return &engine{Context: learn.Context{Task: &rule.Task{}}}
	}
	return e
}

func (e *engine) fallbacks() int {
	if e.Update == nil {
		return 0
	}
	return e.Update.Fallbacks()
}

func (e *engine) notes() []string {
	all := slices.Clone(e.loaded)
	if e.Update == nil {
		return all
	}
	return append(all, e.Update.Notes()...)
}
