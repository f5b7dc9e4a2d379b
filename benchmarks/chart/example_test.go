package chart_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
)

// A chart is saved as PNG and as SVG, whose texts can be searched.
func ExampleChart_Save() {
	dir, err := os.MkdirTemp("", "chart")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	c := chart.Chart{
		Title: "Training loss", X: "step", Y: "loss",
		Lines: []chart.Line{
			{Name: "SGDm", X: []float64{0, 10, 20}, Y: []float64{1, 0.1, 0.02}, Color: chart.Colors[0]},
			{Name: "Adam", X: []float64{0, 10, 20}, Y: []float64{1, 0.05, 0.01}, Color: chart.Colors[1], Dashed: true},
		},
	}
	svg := filepath.Join(dir, "loss.svg")
	if err := c.Save(filepath.Join(dir, "loss.png"), svg); err != nil {
		fmt.Println(err)
		return
	}
	text, err := os.ReadFile(svg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, word := range []string{"Training loss", "SGDm", "Adam"} {
		fmt.Println(word, strings.Contains(string(text), word))
	}
	// Output:
	// Training loss true
	// SGDm true
	// Adam true
}

// Smooth is a running mean that does not favour the first values.
func ExampleSmooth() {
	fmt.Printf("%.2f\n", chart.Smooth([]float64{4, 0, 0, 0}, 2))
	// Output: [4.00 1.33 0.57 0.27]
}
