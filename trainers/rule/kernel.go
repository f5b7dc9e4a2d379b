package rule

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/trainers/precision"
)

// Kernel is an update rule whose direction at one element depends on that element
// of the weights, the gradient and the state alone. Elementwise makes a Rule of it.
//
// A type outside this module embeds KernelBase and implements Moments and Direction.
type Kernel[T apoops.Float] interface {
	// Moments names the arrays of the state, each of the weights' shape, zero at
	// first. There are at most 4.
	Moments() []string
	// Kinds says what each of Moments holds, in their order: a training in 16 bits keeps it
	// as it keeps that kind. nil leaves all of them in float32.
	Kinds() []precision.Kind
	// Begin prepares step t, counted from 1.
	Begin(t int)
	// Place says where Direction leaves its result.
	Place() Place
	// Direction advances the moments m with the gradient g and returns the
	// direction, in d or where Place says. All slices are the same stretch of their
	// arrays. Several goroutines call it at once, each on a stretch of its own. w is for
	// weight decay: it is 0 where there is to be none (Decaying).
	Direction(d, w, g []T, m [][]T) []T
	// Reach bounds the direction's elements and, in place, the moments after a step,
	// by bounds of the weights, the gradient and the moments before. +Inf stands for
	// no bound.
	Reach(w, g float64, m []float64) (d float64)
}

// SearchKernel is a Kernel whose rule can be Calibrated.
type SearchKernel[T apoops.Float] interface {
	Kernel[T]
	// SearchDirection sets d to e (see LineSearch), after Direction has advanced the moments.
	// It sees those that are kept in 16 bits rounded.
	SearchDirection(d, w, g []T, m [][]T)
	// Correction is that of LineSearch.
	Correction(t int) float64
}

// Place is where the direction of a Kernel is after a step.
type Place int

// The places of a direction.
const (
	OwnBuffer     Place = iota // in d
	InGradient                 // it is the gradient
	InFirstMoment              // it is the first moment
)

// KernelBase has the methods of Kernel that few rules need.
type KernelBase struct{}

// Kinds is nil.
func (KernelBase) Kinds() []precision.Kind { return nil }

// Begin does nothing.
func (KernelBase) Begin(int) {}

// Place is OwnBuffer.
func (KernelBase) Place() Place { return OwnBuffer }

// Reach is +Inf.
func (KernelBase) Reach(float64, float64, []float64) float64 { return math.Inf(1) }
