// Package chart draws the pictures of the example programs.
package chart

import (
	"image/color"
	"math"
	"os"
	"strconv"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Line is one curve.
type Line struct {
	Name   string
	X, Y   []float64
	Color  color.Color
	Dashed bool
}

// Colors are distinguishable also for the colour-blind (Okabe and Ito).
var Colors = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255},
}

// Chart is a picture of curves over a logarithmic vertical axis.
type Chart struct {
	Title, X, Y string
	Lines       []Line
}

const (
	width, height = 24 * vg.Centimeter, 14 * vg.Centimeter
	legendWidth   = 5.2 * vg.Centimeter
	dpi           = 110
)

// Save writes the picture as a PNG file. Points that a logarithmic axis cannot
// show are left out.
func (c Chart) Save(path string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Title.TextStyle.Font.Size, p.Title.Padding = 14, 3*vg.Millimeter
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	legend := plot.NewLegend()
	legend.Top, legend.Left, legend.ThumbnailWidth, legend.Padding = true, true, 9*vg.Millimeter, 2*vg.Millimeter
	for _, l := range c.Lines {
		points := l.points()
		if len(points) == 0 {
			continue
		}
		curve, err := plotter.NewLine(points)
		if err != nil {
			return errors.Wrapf(err, "chart %s: %s", path, l.Name)
		}
		curve.Color, curve.Width = l.Color, 1.6
		if l.Dashed {
			curve.Dashes = []vg.Length{5, 3}
		}
		p.Add(curve)
		legend.Add(l.Name, curve)
	}
	if !(p.Y.Min > 0 && p.Y.Min <= p.Y.Max) { // no curve
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 1, 10
	}
	p.Y.Min, p.Y.Max = p.Y.Min/1.1, p.Y.Max*1.1

	img := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
	page := draw.Crop(draw.New(img), 4*vg.Millimeter, -4*vg.Millimeter, 4*vg.Millimeter, -4*vg.Millimeter)
	p.Draw(draw.Crop(page, 0, -legendWidth, 0, 0))
	legend.Draw(draw.Crop(page, width-8*vg.Millimeter-legendWidth+4*vg.Millimeter, 0, 0, -12*vg.Millimeter))
	return write(path, img)
}

func write(path string, img vgimg.PngCanvas) error {
	f, err := os.Create(path)
	if err != nil {
		return errors.Wrap(err, "chart")
	}
	_, err = img.WriteTo(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return errors.Wrapf(err, "chart %s", path)
}

// points are those that can be shown.
func (l Line) points() plotter.XYs {
	var xy plotter.XYs
	for i, y := range l.Y {
		if y > 0 && !math.IsInf(y, 0) {
			xy = append(xy, plotter.XY{X: l.X[i], Y: y})
		}
	}
	return xy
}

// logTicks marks 1, 2, …, 9 times powers of ten. It labels the powers, and
// where there are few of them 2 and 5 times them too.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	few := math.Log10(hi/lo) < 2.5
	for power := math.Floor(math.Log10(lo)); power <= math.Log10(hi); power++ {
		for m := 1.0; m <= 9; m++ {
			v := m * math.Pow(10, power)
			if v < lo || v > hi {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || few && (m == 2 || m == 5) {
				t.Label = strconv.FormatFloat(v, 'g', 3, 64)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}
