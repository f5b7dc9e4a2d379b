package learn

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// calibrate finds the b that is the η* measured at r = b. It leaves the weights,
// the rule's state and the step's gradient as they are.
func (l *calibratedLearner) calibrate(in *Input, tilde []*tensor.Dense) error {
	if l.c.Lambda0 == 0 && tilde != nil { // F has no part in η*: graphs without it, for now
		kept := l.kept
		tilde, l.kept = nil, graph.Shapes[*graph.Proximal]{}
		defer func() { l.kept = kept }()
	}
	lines, err := l.firstLines(in)
	if err == nil {
		_, err = l.rounds(lines, tilde)
	}
	return err
}

// rounds are those of the calibration: along the first line until the rate stays, which takes
// it most of the way, then along all.
func (l *calibratedLearner) rounds(lines []line, tilde []*tensor.Dense) (all []Round, err error) {
	if len(lines) > 1 {
		if all, err = l.rounds(lines[:1], tilde); err != nil {
			return all, err
		}
	}
	for range l.c.Rounds {
		b := l.rate()
		mean, err := l.measureAll(lines, tilde, b)
		if err != nil {
			return all, err
		}
		all = append(all, mean.round(b))
		l.setRate(mean.calibrated(l.c, b))
		if l.near(b) {
			break
		}
	}
	return all, nil
}

// near reports whether the rate differs from b by less than a tenth.
func (l *calibratedLearner) near(b float64) bool { return math.Abs(math.Log(l.rate()/b)) < 0.1 }

// measureAll is the mean of what measure finds along some lines at a rate.
func (l *calibratedLearner) measureAll(lines []line, tilde []*tensor.Dense, rate float64) (mean parabola, err error) {
	for _, p := range lines {
		x, _, err := l.measure(p, tilde, rate)
		if err != nil {
			return mean, err
		}
		mean.add(x, 1/float64(len(lines)))
	}
	return mean, nil
}

// firstLines are the rule's first steps on the mini-batches of CalibrateFrom,
// or on that of the step.
func (l *calibratedLearner) firstLines(in *Input) ([]line, error) {
	source := l.x.Settings.Calibration
	if source == nil {
		p, err := l.firstLine(in.Batch, in.Loss, in.gradient())
		return []line{p}, err
	}
	own := graph.Batch{X: array.CloneAll(in.Batch.X), T: array.CloneAll(in.Batch.T)}
	lines, err := l.linesFrom(source)
	err = errors.WithMessage(err, "CalibrateFrom")
	if restoring := l.restore(in, own); err == nil {
		err = restoring
	}
	return lines, err
}

// linesFrom leaves out the batches whose gradient a static loss scale makes not finite.
func (l *calibratedLearner) linesFrom(source CalibrationSource) ([]line, error) {
	var lines []line
	for i := range l.c.Batches {
		var p line
		b, err := source(i)
		if err == nil {
			p, err = l.lineOn(b)
		}
		if errors.Is(err, errScale) {
			continue
		}
		lines = append(lines, p)
		if err != nil {
			return nil, errors.WithMessagef(err, "mini-batch %d", i)
		}
	}
	if len(lines) == 0 {
		return nil, errors.WithMessagef(errScale, "all %d mini-batches: %v", l.c.Batches, l.x.Task.Precision.LossScale())
	}
	return lines, nil
}

func (l *calibratedLearner) lineOn(b graph.Batch) (line, error) {
	loss, g, err := l.gradient(b)
	if err != nil {
		return line{}, err
	}
	return l.firstLine(graph.Batch{X: array.CloneAll(b.X), T: array.CloneAll(b.T)}, loss, g)
}

// gradient is Context.Gradient, again with a lower loss scale where that has made the
// gradient not finite.
func (l *calibratedLearner) gradient(b graph.Batch) (loss float64, g []*tensor.Dense, err error) {
	p := l.x.Task.Precision
	for {
		if loss, g, err = l.x.Gradient(b); err != nil || array.AllFinite(g...) {
			return loss, g, err
		}
		if !p.BackOff() {
			break
		}
	}
	if p.LossScale() > 1 {
		return 0, nil, errScale
	}
	return loss, g, nil
}

// errScale is about a gradient that a loss scale which is not dynamic has made not finite.
var errScale = errors.New("the gradient is not finite at the loss scale")

// firstLine is the first step of a rule that is started for it, by what clipping makes of g.
func (l *calibratedLearner) firstLine(b graph.Batch, loss float64, g []*tensor.Dense) (line, error) {
	task := *l.x.Task
	task.Precision = task.Precision.Apart()
	r, err := rule.Start(l.x.Optimizer, &task)
	if err != nil {
		return line{}, err
	}
	clipped := g
	if l.x.Clip != nil {
		clipped = array.CloneAll(g)
		if err := l.x.Clip(clipped); err != nil {
			return line{}, err
		}
	}
	in := rule.Input{T: 1, G: clipped, Batch: b}
	if _, err := rule.Directions(l.x.Optimizer, r, task.Params, in); err != nil {
		return line{}, err
	}
	e, err := r.LineSearch().SearchDirection(in)
	if err != nil {
		return line{}, err
	}
	return l.newLine(b, loss, g, e), nil
}

// restore gives the step its batch again, which a source that is the training's own has
// overwritten, and its gradient, computed and clipped anew. In 16 bits that is at the loss scale
// as it is now.
func (l *calibratedLearner) restore(in *Input, own graph.Batch) error {
	if _, err := array.Restore(in.Batch.X, own.X); err != nil {
		return err
	}
	if _, err := array.Restore(in.Batch.T, own.T); err != nil {
		return err
	}
	_, g, err := l.x.Gradient(in.Batch)
	if err != nil {
		return err
	}
	for i, d := range in.G {
		array.Copy(d, g[i])
		if in.Unclipped != nil {
			array.Copy(in.Unclipped[i], g[i])
		}
	}
	if l.x.Clip == nil {
		return nil
	}
	return l.x.Clip(in.G)
}
