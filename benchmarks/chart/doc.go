// Package chart draws curves as PNG and SVG, for the benchmarks and the example
// programs.
//
// The vertical axis is logarithmic unless LinearY is set. A curve may have a band, such
// as the range over several seeds.
//
//	c := chart.Chart{
//		Title: "Training loss", X: "step", Y: "loss",
//		Lines: []chart.Line{{Name: "Adam", X: steps, Y: losses, Color: chart.Colors[0]}},
//	}
//	err := c.Save("loss.png", "loss.svg")
package chart
