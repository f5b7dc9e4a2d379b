package selftune

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// distinct is how many methods have a line of their own look in a picture, those with the
// largest areas.
const distinct = 5

// draw draws the profiles of each configuration and returns the names of the pictures
// without their endings. The legend is in the order of the areas.
func (c comparison) draw(o *options) (names []string, err error) {
	for _, config := range configurations {
		g := chart.Chart{
			Title: fmt.Sprintf("Targets reached within τ times the fewest %s, %s", c.name, configLabels[config]),
			X:     fmt.Sprintf("τ: %s as a multiple of the fewest", c.name), Y: "share of tasks and starts", LinearY: true, YMin: -0.02, YMax: 1.02,
		}
		for _, s := range c.ranked() {
			if s.config != config {
				continue
			}
			l := chart.Line{Name: fmt.Sprintf("%.2f %s", s.area, s.Label), Dashed: !s.apo}
			l.Color, l.Dotted = chart.Look(c.place(s))
			l.X, l.Y = steps(s.ratios, o.limit)
			l.Faint = len(g.Lines) >= distinct
			g.Lines = append(g.Lines, l)
		}
		if len(g.Lines) == 0 {
			continue
		}
		name := fmt.Sprintf("profile-%s-%s", c.name, config)
		path := filepath.Join(o.out, name)
		if err := g.Save(path+".svg", path+".png"); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// ranked are the scores from the largest area down.
func (c comparison) ranked() []score {
	all := slices.Clone(c.scores)
	slices.SortStableFunc(all, func(a, b score) int { return cmp.Compare(b.area, a.area) })
	return all
}

// place numbers the methods: those of this project from 0, so that they have colours of
// their own, then the others.
func (c comparison) place(s score) int {
	var names []string
	for _, apo := range []bool{true, false} {
		for _, other := range c.scores {
			if other.apo == apo && !slices.Contains(names, other.Name) {
				names = append(names, other.Name)
			}
		}
	}
	return slices.Index(names, s.Name)
}
