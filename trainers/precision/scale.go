package precision

import (
	"math"

	"github.com/pkg/errors"
)

// LossScale is the factor on the loss before it is differentiated, which keeps small
// gradients above the least number of the format. What is made of gradients is unscaled.
type LossScale struct {
	// Start is the first scale, a power of two.
	Start float64
	// Dynamic halves the scale after a step whose gradient is not finite and doubles it
	// after Every steps in a row that are.
	Dynamic bool
	Every   int
	// Cap is how many steps in a row may be skipped; one more is an error.
	Cap int
}

const (
	defaultStart = 1 << 16
	defaultEvery = 2000
	defaultCap   = 50
	largestScale = 1 << 24
)

func defaultDynamic() LossScale {
	return LossScale{Start: defaultStart, Dynamic: true, Every: defaultEvery, Cap: defaultCap}
}

// StaticScale multiplies the loss by s, a power of two.
func StaticScale(s float64) Setting {
	return WithScale(LossScale{Start: s})
}

// DynamicScale begins with a scale and adapts it: the default for float16, from 2¹⁶.
func DynamicScale(start float64) Setting {
	return WithScale(LossScale{Start: start, Dynamic: true})
}

// WithScale sets all of LossScale. An Every of 0 stands for 2000, a Cap of 0 for 50.
func WithScale(s LossScale) Setting {
	return func(c *Config) error {
		if fraction, _ := math.Frexp(s.Start); !(s.Start > 0) || fraction != 0.5 || s.Start > largestScale || s.Start < 1/float64(largestScale) {
			return errors.Errorf("trainers: Precision: the loss scale %v is no power of two from 2^-24 to 2^24", s.Start)
		}
		if s.Every < 0 || s.Cap < 0 {
			return errors.Errorf("trainers: Precision: loss scale: Every %d and Cap %d must be 0 or more", s.Every, s.Cap)
		}
		if s.Every == 0 {
			s.Every = defaultEvery
		}
		if s.Cap == 0 {
			s.Cap = defaultCap
		}
		c.Scale = s
		return nil
	}
}

// None reports whether the scale is always 1.
func (s LossScale) None() bool { return s.Start == 1 && !s.Dynamic }

func (s LossScale) describe() map[string]any {
	d := map[string]any{"start": s.Start, "dynamic": s.Dynamic, "cap": s.Cap}
	if s.Dynamic {
		d["every"] = s.Every
	}
	return d
}

// Scaler is the state of the loss scale, which a checkpoint keeps.
type Scaler struct {
	// Scale is that of the next step.
	Scale float64 `json:"scale"`
	// Good counts the finite steps since the scale changed, InRow the steps that were
	// skipped since the last finite one, Skipped all of them.
	Good    int `json:"good"`
	InRow   int `json:"skipped_in_row"`
	Skipped int `json:"skipped"`
	// Lowered is how often the scale was halved by anything but a step: a meta-gradient,
	// the moments of KFAC, a probe, or a gradient of the calibration. Clamped counts the
	// arrays that were brought into the range of the format, each time.
	Lowered int `json:"lowered,omitempty"`
	Clamped int `json:"clamped,omitempty"`
}

func newScaler(s LossScale) *Scaler { return &Scaler{Scale: s.Start} }

// Scaler is a copy of the state; nil for a nil Precision.
func (p *Precision) Scaler() *Scaler {
	if p == nil {
		return nil
	}
	s := *p.scaler
	return &s
}

// SetScaler goes on from a state, nil for that of the beginning.
func (p *Precision) SetScaler(s *Scaler) {
	switch {
	case p == nil:
	case s == nil:
		*p.scaler = *newScaler(p.Config.Scale)
	default:
		*p.scaler = *s
	}
}

// Check reports a state that no training can have.
func (s *Scaler) Check(steps int) error {
	if s == nil {
		return nil
	}
	fraction, _ := math.Frexp(s.Scale)
	if fraction != 0.5 || s.Scale > largestScale || s.Scale < 1/float64(largestScale) ||
		s.Good < 0 || s.InRow < 0 || s.Lowered < 0 || s.Clamped < 0 || s.Skipped < s.InRow || s.Skipped > steps {
		return errors.Errorf("loss scale %v with %d good steps, %d of %d steps skipped, %d in a row", s.Scale, s.Good, s.Skipped, steps, s.InRow)
	}
	return nil
}

// LossScale is the scale of the next step, 1 for a nil Precision.
func (p *Precision) LossScale() float64 {
	if p == nil {
		return 1
	}
	return p.scaler.Scale
}

// Skipped is how many steps were skipped.
func (p *Precision) Skipped() int {
	if p == nil {
		return 0
	}
	return p.scaler.Skipped
}

// CanSkip reports whether a gradient that is not finite may be the scale's fault, and no
// more steps in a row were skipped than may be.
func (p *Precision) CanSkip() bool {
	return p != nil && p.scaler.Scale > 1 && p.scaler.InRow < p.Config.Scale.Cap
}

// Skip counts a step that is skipped and, where it is dynamic, halves the scale.
func (p *Precision) Skip() {
	p.scaler.Skipped++
	p.scaler.InRow++
	p.halve()
}

// BackOff halves a dynamic scale down to 1, because something beside the step's gradient
// that was made with it is not finite. It reports whether the scale is lower now, so that
// another try makes sense.
func (p *Precision) BackOff() bool {
	lowered := p.halve()
	if lowered {
		p.scaler.Lowered++
	}
	return lowered
}

func (p *Precision) halve() bool {
	if p == nil || !p.Config.Scale.Dynamic {
		return false
	}
	p.scaler.Good = 0
	if p.scaler.Scale <= 1 {
		return false
	}
	p.scaler.Scale /= 2
	return true
}

// Took counts a step that was taken and, where it is time, doubles a dynamic scale.
func (p *Precision) Took() {
	if p == nil {
		return
	}
	p.scaler.InRow = 0
	if !p.Config.Scale.Dynamic {
		return
	}
	p.scaler.Good++
	if p.scaler.Good >= p.Config.Scale.Every && p.scaler.Scale < largestScale {
		p.scaler.Scale, p.scaler.Good = 2*p.scaler.Scale, 0
	}
}

// scaled are the graphs of package graph.
type scaled interface{ SetLossScale(s float64) error }

// Apply has a graph scale what it differentiates as the step that is next.
func (p *Precision) Apply(g scaled) error {
	if p == nil {
		return nil
	}
	return g.SetLossScale(p.scaler.Scale)
}
