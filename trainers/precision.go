package trainers

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/learn"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// lowPrecision is what the option Precision was given.
type lowPrecision struct {
	format   apoops.Format
	settings []precision.Setting
	unscaled bool // there is no loss scale
}

// Precision trains in 16 bits, apoops.Float16 or apoops.BFloat16: activations, gradients
// and weights are numbers of the format, sums within ops are in float32. Package precision
// has the table of what is kept how, and the settings. The weights must be of float32, and
// those that training begins with within the range of the format.
//
// For Wrap it holds for the weights and the passes that are rebuilt; the user's own
// machine computes the loss and its gradient in float32, from rounded weights.
//
// Load takes a checkpoint of a training in float32 too, and a training in float32 one in
// 16 bits; Notes say that it was so. Weights are rounded as in the checkpoint's run unless
// precision.Nearest or precision.Stochastic is given.
func Precision(f apoops.Format, settings ...precision.Setting) Option {
	return func(c *config) error {
		p, err := precision.New(f, 0, settings...)
		c.precision = &lowPrecision{f, settings, err == nil && p.Scale.None()}
		return err
	}
}

// storage is how the graphs keep their arrays.
func (c *config) storage() graph.Storage {
	if c.precision == nil {
		return graph.Storage{}
	}
	return graph.Storage{Format: c.precision.format, Low: true, Unscaled: c.precision.unscaled}
}

// startPrecision rounds the weights that training begins with.
func (c *config) startPrecision(params []*graph.Param) (*precision.Precision, error) {
	if c.precision == nil {
		return nil, nil
	}
	p, err := precision.New(c.precision.format, c.seed, c.precision.settings...)
	if err != nil {
		return nil, err
	}
	if err := p.CheckDtype(params[0].Value.Dtype()); err != nil {
		return nil, err
	}
	return p, p.StartWeights(params)
}

// takeGradient takes the gradient of the graph that ran: in 16 bits where it is kept so and
// nothing but the update asks for it.
func (e *engine) takeGradient(b *batchStep) (err error) {
	if meta := e.learner != nil && e.learner.Due(e.taken()) || e.waits(); !meta && !e.c.clip.on() && learn.TakesPacked(e.Update) {
		if b.bits = e.base.PackedGrads(); b.bits != nil {
			return nil
		}
	}
	b.g, b.rows, err = e.base.GradsAndRows()
	return err
}

// round rounds the weights that the step has moved, and the rule's state.
func (e *engine) round() {
	e.Task.Precision.RoundWeights()
	e.Task.Precision.RoundState()
}

// taken is the number of steps that moved something: those of the rule and the learner.
func (e *engine) taken() int { return e.steps - e.skippedSteps() }

// roundingsOfBounds is how many steps the bounds of Update.StaysFinite are relied on in
// bfloat16 before they are measured anew: they do not know of rounding, which takes a number
// further by at most 1 + 2⁻⁷ a step, so by less than 8 in so many. The bounds leave room for
// 64 (array.Limit).
const roundingsOfBounds = 256

// boundsHold reports whether the bounds of Update.StaysFinite may be relied on, and has them
// measured where it is time. float16 ends far below them.
func (e *engine) boundsHold() bool {
	p := e.Task.Precision
	if p == nil {
		return true
	}
	if p.Format != apoops.BFloat16 {
		return false
	}
	if e.relied == roundingsOfBounds {
		e.invalidate()
	}
	e.relied++
	return true
}

// errSkip is about a gradient that the loss scale may have made not finite.
var errSkip = errors.New("the gradient is not finite at the loss scale")

// errLeft is about a step that SkipNonFinite leaves out.
var errLeft = errors.New("the loss or the gradient is not finite")

// lossScale is that of Stats.
func (e *engine) lossScale() float64 {
	if e.Task.Precision == nil {
		return 0
	}
	return e.Task.Precision.LossScale()
}

// skip ends a step in which nothing moves, for errSkip or errLeft.
func (e *engine) skip(s Stats, b batchStep, why error) (Stats, error) {
	s.Rates, s.Hyperparameters = e.rates(), e.hyperparameters() // while the step is not yet counted as skipped
	if errors.Is(why, errLeft) {
		e.left.Total++
		e.left.InRow++
	} else {
		e.Task.Precision.Skip()
	}
	s.StepSkipped = true
	return e.end(s, b, nil)
}

// checkRange reports a weight that is beyond the range of the format, of those that a
// file has for each parameter.
func (e *engine) checkRange(value func(name string) *tensor.Dense) error {
	values := make([]*tensor.Dense, len(e.Task.Model))
	for i, p := range e.Task.Model {
		values[i] = value(p.Name)
	}
	return e.Task.Precision.CheckWeights(e.Task.Model, values)
}

// convert goes on from the loss scale of a checkpoint and the steps that it made overflow, rounds
// the weights, and says where it was of another precision.
func (e *engine) convert(doc checkpointMeta) (notes []string, err error) {
	p := e.Task.Precision
	p.SetScaler(doc.Scaler)
	if p == nil && doc.Scaler != nil { // no loss scale counts them from here on
		e.left.Total += doc.Scaler.Skipped
	}
	stored, low := doc.Run["precision"].(map[string]any)
	switch {
	case p != nil && !low:
		notes = append(notes, fmt.Sprintf("checkpoint: written by a training in %v: this one goes on in %v", e.Task.Params[0].Value.Dtype(), p.Format))
	case p == nil && low:
		notes = append(notes, fmt.Sprintf("checkpoint: written by a training in %v: this one goes on in %v", stored["format"], e.Task.Params[0].Value.Dtype()))
	}
	p.StartState()
	return append(notes, p.Notes()...), p.StartWeights(e.Task.Model)
}

// SkippedSteps is the number of steps in which nothing moved: the loss scale made the
// gradient overflow (see Precision), or SkipNonFinite left them out.
func (t *Trainer) SkippedSteps() int { return t.engine.orEmpty().skippedSteps() }

// SkippedSteps is Trainer.SkippedSteps.
func (s *Solver) SkippedSteps() int { return s.engine.orEmpty().skippedSteps() }

func (e *engine) skippedSteps() int { return e.Task.Precision.Skipped() + e.left.Total }

// Scaler is the state of the loss scale, with how often it was lowered and arrays were
// brought into the range of the format; nil without the option Precision.
func (t *Trainer) Scaler() *precision.Scaler { return t.engine.orEmpty().Task.Precision.Scaler() }

// Scaler is Trainer.Scaler, of the passes that are rebuilt.
func (s *Solver) Scaler() *precision.Scaler { return s.engine.orEmpty().Task.Precision.Scaler() }
