package trainers

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// Accumulate computes each mini-batch in n equal parts, one after another in the memory of
// one, and adds up their gradients (gradient accumulation): for mini-batches whose activations
// do not fit into memory. A step is that of the whole mini-batch but for the order of
// sums: losses, gradients, the terms of Q, ∂Q/∂φ and the statistics of KFAC, EKFAC and
// APO-Precond are means over its examples, or tokens, with the same dropout masks and drawn
// targets. Batch norm takes the statistics of a part, and what its running ones follow is
// their mean over the parts.
//
// Step gets the whole mini-batch, whose examples n must divide; with Parallel each member
// computes its share in n parts. B' has a multiple of n rows: FSDFraction and Precond's Rows
// are rounded up to one. A checkpoint goes on with any n. It is for a Trainer made by New, an
// error in FromProblem and Wrap, and not for JointBatchNorm.
func Accumulate(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return errors.Errorf("trainers: Accumulate(%d): a mini-batch has at least 1 part", n)
		}
		c.parts = n
		return nil
	}
}

// equalParts is the number of equal parts of a mini-batch, over all members; 1 where they
// need not be equal.
func (c *config) equalParts() int {
	switch comm := c.members(); {
	case c.parts <= 1:
		return 1
	case comm == nil:
		return c.parts
	default:
		return c.parts * comm.Size()
	}
}

// ClipNorm shortens the gradient of all parameters together to the norm c where it is
// longer, g·min(1, c/‖g‖), before the rule sees it (Pascanu et al. 2013). APO looks ahead, and
// Calibrated and FindRate search, along the step that the clipped gradient makes. With ClipValue
// too, which comes first, both hold.
//
// c is above 0, in units of the gradient of the mean loss; a gradient in 16 bits is
// unscaled. Steps that would come from the rows of a batch, as KFAC's of small ones, come
// from the whole gradient.
func ClipNorm(c float64) Option {
	return func(a *config) error {
		if err := checkClip("ClipNorm", c); err != nil {
			return err
		}
		a.clip.norm = c
		return nil
	}
}

// ClipValue limits each element of the gradient to -c and c before the rule sees it; see
// ClipNorm.
func ClipValue(c float64) Option {
	return func(a *config) error {
		if err := checkClip("ClipValue", c); err != nil {
			return err
		}
		a.clip.value = c
		return nil
	}
}

func checkClip(option string, c float64) error {
	if !(c > 0) || math.IsInf(c, 1) {
		return errors.Errorf("trainers: %s(%v): it must be above 0 and finite", option, c)
	}
	return nil
}

// SkipNonFinite leaves out steps whose loss, gradient or batch statistics are not finite, in
// place of the error: nothing moves, and Stats.StepSkipped says so. SkippedSteps counts them.
// After most such steps in a row the next one is the error that it is without this option. The
// rule and the learner do not count them as steps; schedules, that of WithSchedule and those of
// groups, do, as PyTorch's that are advanced in each iteration. A mini-batch that holds NaN
// itself remains an error.
//
// The loss scale of a training in float16 skips steps by itself, see Precision; this option is
// about those for which that is not at fault.
func SkipNonFinite(most int) Option {
	return func(c *config) error {
		if most < 1 {
			return errors.Errorf("trainers: SkipNonFinite(%d): it must be 1 or more", most)
		}
		c.mostSkips = most
		return nil
	}
}

// clipping are the limits of a gradient, 0 for none.
type clipping struct{ norm, value float64 }

func (c clipping) on() bool { return c.norm > 0 || c.value > 0 }

// apply clips a gradient of the given norm, in its place, and returns its norm then.
func (c clipping) apply(g []*tensor.Dense, norm float64) (float64, error) {
	if c.value > 0 {
		for _, a := range g {
			clamp, err := apoops.Choose(a.Dtype(), clampAll[float32], clampAll[float64])
			if err != nil {
				return norm, errors.WithMessage(err, "trainers: ClipValue")
			}
			clamp(a, c.value)
		}
		norm = math.Sqrt(array.SumSquares(g...))
	}
	if c.norm == 0 || norm <= c.norm {
		return norm, nil
	}
	if math.IsInf(norm, 1) { // of finite numbers, whose squares overflow
		const tiny = 1e-160
		scaleAll(g, tiny)
		norm = math.Sqrt(array.SumSquares(g...))
	}
	scaleAll(g, c.norm/norm)
	return c.norm, nil
}

// clipGradient clips the gradient of a step. Calibrated gets it as it was too.
func (e *engine) clipGradient(b *batchStep, norm float64) (float64, error) {
	if e.c.given["Calibrated"] && e.learner != nil && e.learner.Due(e.taken()) {
		if e.unclipped == nil {
			e.unclipped = array.ZerosLike(e.Task.Params)
		}
		for i, g := range b.g {
			array.Copy(e.unclipped[i], g)
		}
		b.unclipped = e.unclipped
	}
	return e.c.clip.apply(b.g, norm)
}

// clipAny is Context.Clip.
func (c *config) clipAny(g []*tensor.Dense) error {
	_, err := c.clip.apply(g, math.Sqrt(array.SumSquares(g...)))
	return err
}

func scaleAll(g []*tensor.Dense, factor float64) {
	for _, a := range g {
		array.Scale(a, factor)
	}
}

func clampAll[T apoops.Float](a *tensor.Dense, limit float64) {
	x, c := apoops.Elements[T](a), T(limit)
	for i, v := range x {
		x[i] = min(max(v, -c), c)
	}
}

// rowReader is that of the update, nil where the step needs the whole gradient.
func (e *engine) rowReader() graph.RowReader {
	if e.c.clip.on() {
		return nil
	}
	return e.Update.Rows()
}

// skips counts the steps that SkipNonFinite left out, and those that a loss scale did before the
// training went on without one.
type skips struct {
	Total int `json:"total"`
	InRow int `json:"in_row"` // up to the last step
}

// checkLeft reports counts that no training can have.
func (doc *checkpointMeta) checkLeft() error {
	s, steps := doc.Left, doc.Steps
	if doc.Scaler != nil {
		steps -= doc.Scaler.Skipped // others
	}
	if s != nil && (s.InRow < 0 || s.InRow > s.Total || s.Total > steps) {
		return errors.Errorf("%d of %d steps were skipped, %d in a row", s.Total, steps, s.InRow)
	}
	return nil
}
