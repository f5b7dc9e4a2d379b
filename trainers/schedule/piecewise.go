package schedule

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Point is a factor at a step.
type Point struct {
	Step   int
	Factor float64
}

// Piecewise goes through the points along straight lines. Before the first point it has its
// factor, behind the last one that of the last:
//
//	linear decay         Piecewise({0, 1}, {1000, 0})
//	warm-up, then decay  Piecewise({0, 0.01}, {100, 1}, {1000, 0})
//	one cycle            Piecewise({0, 0.04}, {300, 1}, {1000, 0})
//	warm-up-stable-decay Piecewise({0, 0.01}, {100, 1}, {800, 1}, {1000, 0})
//
// There must be a point, steps must be ≥ 0 and each above the one before, factors finite and ≥ 0.
func Piecewise(points ...Point) Schedule {
	if len(points) == 0 {
		return invalid("Piecewise: no points")
	}
	texts := make([]string, len(points))
	for i, p := range points {
		switch {
		case p.Step < 0:
			return invalid("Piecewise: step %d of point %d is negative", p.Step, i)
		case i > 0 && p.Step <= points[i-1].Step:
			return invalid("Piecewise: step %d of point %d is not above %d, that of the one before", p.Step, i, points[i-1].Step)
		case !(p.Factor >= 0) || math.IsInf(p.Factor, 0):
			return invalid("Piecewise: factor %v of point %d is not finite and ≥ 0", p.Factor, i)
		}
		texts[i] = fmt.Sprintf("{%d, %v}", p.Step, p.Factor)
	}
	points = slices.Clone(points)
	return Schedule{name: "Piecewise(" + strings.Join(texts, ", ") + ")", at: func(step int) float64 {
		i, found := slices.BinarySearchFunc(points, step, func(p Point, step int) int { return p.Step - step })
		switch {
		case found || i == 0:
			return points[i].Factor
		case i == len(points):
			return points[i-1].Factor
		}
		a, b := points[i-1], points[i]
		part := float64(step-a.Step) / float64(b.Step-a.Step)
		return (1-part)*a.Factor + part*b.Factor
	}}
}
