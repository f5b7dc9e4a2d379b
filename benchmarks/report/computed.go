package report

import (
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/benchmarks/experiments"
)

var fig1Titles = map[string]string{
	"wsd":  "weight-space term alone",
	"fsd":  "function-space term alone",
	"both": "both terms",
}

// drawComputed draws the result of an experiment that trains nothing: Figure 1,
// a picture for each panel.
func (s *section) drawComputed(dir string) ([]figure, error) {
	f, err := s.fig1()
	if err != nil {
		return nil, err
	}
	var all []figure
	low, high := bounds(f)
	for _, p := range f.Panels {
		c := chart.Chart{
			Title: s.e.Title + ": " + fig1Titles[p.Name], X: "x", Y: "f(x)", LinearY: true, YMin: low, YMax: high,
			Lines:  []chart.Line{{Name: "before", X: f.X, Y: f.Before, Color: color.Gray{90}, Dashed: true}},
			Points: []chart.Point{{Name: "the example", X: f.ExampleX, Y: f.ExampleY, Color: color.Black}},
		}
		for i, curve := range p.Curves {
			c.Lines = append(c.Lines, chart.Line{
				Name: fmt.Sprintf("λ_FSD %g, λ_WSD %g", curve.LambdaFSD, curve.LambdaWSD),
				X:    f.X, Y: curve.After, Color: redToBlue(i, len(p.Curves)),
			})
		}
		name := s.name() + "-" + p.Name
		if err := c.Save(filepath.Join(dir, name+".png"), filepath.Join(dir, name+".svg")); err != nil {
			return nil, err
		}
		all = append(all, figure{name, fig1Titles[p.Name] + ", λ falling from red to blue"})
	}
	return all, nil
}

func (s *section) fig1() (*experiments.Fig1, error) {
	var f experiments.Fig1
	return &f, errors.Wrap(json.Unmarshal(s.result, &f), s.e.Name)
}

// bounds hold all curves and the example.
func bounds(f *experiments.Fig1) (low, high float64) {
	low, high = f.ExampleY, f.ExampleY
	for _, p := range f.Panels {
		for _, c := range p.Curves {
			for _, y := range c.After {
				low, high = min(low, y), max(high, y)
			}
		}
	}
	margin := 0.05 * (high - low)
	return low - margin, high + margin
}

func redToBlue(i, n int) color.Color {
	t := float64(i) / float64(max(1, n-1))
	return color.RGBA{uint8(215 * (1 - t)), 40, uint8(40 + 175*t), 255}
}

// fig1Claims are those of Section 3.1. "Near" is within 0.1 to 0.3 of the
// example, "far" at least 1 from it; changes are means of absolute values
// there, in parts of the change at the example, for the smallest λ.
var fig1Claims = []claim{
	{where: "§3.1", experiments: []string{"fig1"}, text: "with the weight-space term alone the update changes all predictions (far: at least 0.2)",
		check: ofFig1(func(c map[string]change) (bool, string) {
			return c["wsd"].far >= 0.2, fmt.Sprintf("far %.2f, near %.2f", c["wsd"].far, c["wsd"].near)
		})},
	{where: "§3.1", experiments: []string{"fig1"}, text: "with the function-space term alone it carves a spike (near and far: at most 0.3)",
		check: ofFig1(func(c map[string]change) (bool, string) {
			return c["fsd"].near <= 0.3 && c["fsd"].far <= 0.3, fmt.Sprintf("far %.2f, near %.2f", c["fsd"].far, c["fsd"].near)
		})},
	{where: "§3.1", experiments: []string{"fig1"}, text: "with both it is local, and improves predictions nearby (far: below half of that of the weight-space term; near: above that of the function-space term)",
		check: ofFig1(func(c map[string]change) (bool, string) {
			return c["both"].far < 0.5*c["wsd"].far && c["both"].near > c["fsd"].near, fmt.Sprintf("far %.2f, near %.2f", c["both"].far, c["both"].near)
		})},
}

// change of a function in parts of that at the example.
type change struct{ near, far float64 }

func ofFig1(decide func(map[string]change) (bool, string)) func(*section, *series) (verdict, string) {
	return func(s *section, _ *series) (verdict, string) {
		if s.result == nil {
			return notRun, "no results"
		}
		f, err := s.fig1()
		if err != nil {
			return notRun, err.Error()
		}
		c := make(map[string]change)
		for _, p := range f.Panels {
			c[p.Name] = changeOf(f, p.Curves[len(p.Curves)-1].After)
		}
		ok, detail := decide(c)
		if ok {
			return holds, detail
		}
		return fails, detail
	}
}

func changeOf(f *experiments.Fig1, after []float64) change {
	var near, far []float64
	at, nearest := 0.0, math.Inf(1)
	for i, x := range f.X {
		moved, distance := math.Abs(after[i]-f.Before[i]), math.Abs(x-f.ExampleX)
		if distance < nearest {
			at, nearest = moved, distance
		}
		switch {
		case distance >= 0.1 && distance <= 0.3:
			near = append(near, moved)
		case distance >= 1:
			far = append(far, moved)
		}
	}
	return change{mean(near) / at, mean(far) / at}
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
