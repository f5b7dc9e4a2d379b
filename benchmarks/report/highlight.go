package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// mostCurves is how many curves of a figure can be told apart at a glance: a figure of more
// than mostSeries has the others in grey.
const (
	mostSeries = 12
	mostCurves = 8
)

// basic are the methods that the curves of others are read against.
var basic = []string{"sgdm", "adam", "precond-plain"}

// highlight gives lines their looks. Of many it makes faint all but the basic methods, the
// form of APO that ends best, and the other methods that end best. Lines are those of
// series; a method that ends higher is better where higher is true.
func highlight(lines []chart.Line, series []*series, higher bool) {
	bright := chosen(lines, series, higher)
	looks := 0
	for i := range lines {
		if !bright[i] {
			lines[i].Faint, lines[i].Low, lines[i].High = true, nil, nil
			continue
		}
		lines[i].Color, lines[i].Dotted = chart.Look(looks)
		looks++
	}
}

// chosen says which lines are not faint.
func chosen(lines []chart.Line, series []*series, higher bool) []bool {
	if len(lines) <= mostSeries {
		return slices.Repeat([]bool{true}, len(lines))
	}
	bright, n := make([]bool, len(lines)), 0
	light := func(i int) {
		if !bright[i] && n < mostCurves {
			bright[i], n = true, n+1
		}
	}
	ranked := ranks(lines, higher)
	if best := slices.IndexFunc(ranked, func(i int) bool { return isAPO(lines[i].Name) }); best >= 0 {
		light(ranked[best])
	}
	for _, i := range ranked {
		if slices.Contains(basic, series[i].method.Name) {
			light(i)
		}
	}
	for _, i := range ranked {
		if !isAPO(lines[i].Name) {
			light(i)
		}
	}
	return bright
}

// isAPO reports whether a method is one of APO, by its label.
func isAPO(label string) bool { return strings.Contains(label, "APO") }

// ranks are the numbers of the lines, the one that ends best first. Those without an end
// are last.
func ranks(lines []chart.Line, higher bool) []int {
	end := func(l chart.Line) float64 {
		if len(l.Y) == 0 || math.IsNaN(l.Y[len(l.Y)-1]) {
			return math.Inf(1)
		}
		if higher {
			return -l.Y[len(l.Y)-1]
		}
		return l.Y[len(l.Y)-1]
	}
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(end(lines[a]), end(lines[b])) })
	return order
}
