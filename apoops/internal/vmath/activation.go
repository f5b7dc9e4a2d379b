package vmath

import (
	"math"

	"github.com/apo-gorgonia/apo/apoops/internal/simd"
)

// Activation is an element-wise function whose derivative is known from its value.
type Activation int

// The activations. ReLU and Rectify have the same values but for the sign of 0, and
// derivatives that differ at 0: 0 and 1.
const (
	Identity Activation = iota
	ReLU
	Sigmoid
	Tanh
	Rectify
)

// Forward replaces each z by act(z).
func Forward[T Float](act Activation, z []T) {
	switch act {
	case ReLU:
		simd.ReLU(z)
	case Sigmoid:
		Sigmoids(z)
	case Tanh:
		Tanhs(z)
	case Rectify:
		rectify(z)
	}
}

// Backward sets dz = act'(z)·dy with act' taken from y = act(z).
func Backward[T Float](act Activation, dz, y, dy []T) {
	y, dy = y[:len(dz)], dy[:len(dz)]
	switch act {
	case Identity:
		copy(dz, dy)
	case ReLU:
		simd.WherePositive(dz, y, dy)
	case Sigmoid:
		for i, v := range y {
			dz[i] = v * (1 - v) * dy[i]
		}
	case Tanh:
		for i, v := range y {
			dz[i] = (1 - v*v) * dy[i]
		}
	case Rectify:
		whereUnsigned(dz, y, dy)
	}
}

// rectify replaces z by -0 below 0, by +0 at 0.
func rectify[T Float](z []T) {
	negativeZero := T(math.Copysign(0, -1))
	// Branches on random signs are mispredicted: look up which of the two to take.
	for i, v := range z {
		choice, k := [2]T{v + 0, negativeZero}, 0
		if v < 0 {
			k = 1
		}
		z[i] = choice[k&1]
	}
}

// whereUnsigned sets dz to dy where y has no sign, to 0 elsewhere.
func whereUnsigned[T Float](dz, y, dy []T) {
	y, dy = y[:len(dz)], dy[:len(dz)]
	for i, v := range y {
		choice := [2]T{dy[i], 0}
		dz[i] = choice[math.Float64bits(float64(v))>>63]
	}
}
