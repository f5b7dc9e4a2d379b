package precond

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/trainers/checkpoint"
)

// damping is what the damping of a step is made of, beside λ_WSD/λ_FSD = Damping:
//
//	d = h·δ·max(s, leastSchedule)·Damping
//
// h is at least 1 and the trace of the Hessian of the discrepancy in the outputs, on the
// first mini-batch: Damping and Clip are in its units, so that they suit one output and
// hundreds. δ falls while steps are within the clip and rises where the loss does, see
// Config.DampingDecay. s is the schedule's factor as a part of the largest so far.
type damping struct {
	h, delta, peak []float64 // one number each; h is 0 until it is known
	losses         []float64
}

func newDamping() damping {
	return damping{h: make([]float64, 1), delta: []float64{1}, peak: make([]float64, 1), losses: make([]float64, lossNumbers)}
}

// The least factors of the schedule and of δ keep P finite.
const leastSchedule, leastDelta = 3e-3, 1e-9

// units is h, 1 while it is not known.
func (d damping) units() float64 { return max(1, d.h[0]) }

// see takes h from a probe of the first mini-batch.
func (d damping) see(trace float64) {
	if d.h[0] == 0 && trace > 0 && !math.IsInf(trace, 0) {
		d.h[0] = trace
	}
}

// factor is d/Damping at the schedule's factor scale.
func (d damping) factor(scale float64) float64 {
	part := 1.
	if peak := max(d.peak[0], scale); peak > 0 {
		part = max(scale/peak, leastSchedule)
	}
	return d.units() * d.delta[0] * part
}

// fall lets δ fall, after a meta-step at whose step the clip was not active, unless the
// loss rises.
func (d damping) fall(by float64) {
	if d.losses[rising] == 0 {
		d.delta[0] = max(d.delta[0]*by, leastDelta)
	}
}

// window is how many steps' losses are averaged to see whether the loss rises.
const window = 10

// The places of damping.losses.
const (
	lossSum   = iota // of the steps of this window
	lossSteps        // their number
	lastMean         // of the window before
	lastKnown        // 1 where there was one
	rising           // 1 where the mean of that window was larger than that before it
	lossNumbers
)

// follow takes the loss of a step. δ rises after a window whose mean loss is larger than
// that of the window before.
func (d damping) follow(loss, by float64) {
	l := d.losses
	l[lossSum] += loss
	l[lossSteps]++
	if l[lossSteps] < window {
		return
	}
	mean := l[lossSum] / l[lossSteps]
	if l[rising] = 0; l[lastKnown] == 1 && mean > l[lastMean] {
		l[rising] = 1
		d.delta[0] = min(1, d.delta[0]/(by*by))
	}
	l[lossSum], l[lossSteps], l[lastMean], l[lastKnown] = 0, 0, mean, 1
}

func (d damping) state() []checkpoint.NamedTensor {
	numbers := func(name string, x []float64) checkpoint.NamedTensor {
		return checkpoint.NamedTensor{Name: name, Value: tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(x))}
	}
	return []checkpoint.NamedTensor{
		numbers("curvature of outputs", d.h), numbers("damping factor", d.delta), numbers("largest schedule factor", d.peak), numbers("losses", d.losses),
	}
}

// strengths are the rate, 0 until it is found, and the damping d of a step.
func (c *core) strengths(step int, scale float64) (rate, d float64, err error) {
	fsd, wsd, err := c.settings.Lambdas(step)
	if err == nil && (!(fsd > 0) || !(wsd > 0)) {
		err = errors.Errorf("trainers: %s: λ_FSD is %v and λ_WSD %v: both must be above 0", c.c.Name(), fsd, wsd)
	}
	return c.found[0] / fsd, c.damping.factor(scale) * wsd / fsd, err
}
