package experiments

import (
	"fmt"
	"image/color"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

var fig1Titles = map[string]string{
	"wsd":  "weight-space term alone",
	"fsd":  "function-space term alone",
	"both": "both terms",
}

// Figures implements Result: a chart for each panel.
func (f *Fig1) Figures(title string) (all []Figure) {
	low, high := f.bounds()
	for _, p := range f.Panels {
		c := chart.Chart{
			Title: title + ": " + fig1Titles[p.Name], X: "x", Y: "f(x)", LinearY: true, YMin: low, YMax: high,
			Lines:  []chart.Line{{Name: "before", X: f.X, Y: f.Before, Color: color.Gray{90}, Dashed: true}},
			Points: []chart.Point{{Name: "the example", X: f.ExampleX, Y: f.ExampleY, Color: color.Black}},
		}
		for i, curve := range p.Curves {
			c.Lines = append(c.Lines, chart.Line{
				Name: fmt.Sprintf("λ_FSD %g, λ_WSD %g", curve.LambdaFSD, curve.LambdaWSD),
				X:    f.X, Y: curve.After, Color: redToBlue(i, len(p.Curves)),
			})
		}
		all = append(all, Figure{Name: p.Name, Caption: fig1Titles[p.Name] + ", λ falling from red to blue", Chart: c})
	}
	return all
}

// bounds enclose all curves and the example.
func (f *Fig1) bounds() (low, high float64) {
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
