package chart

import (
	"bytes"
	"image/color"
	"io"
	"path/filepath"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// Line is one curve.
type Line struct {
	Name   string
	X, Y   []float64
	Color  color.Color
	Dashed bool
	Dotted bool // both: dashes and dots
	// Low and High, unless they are empty, bound a band around the curve, such as the
	// smallest and the largest value over several runs.
	Low, High []float64
}

// Colors can be distinguished by the colour-blind too (Okabe and Ito).
var Colors = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255},
	color.RGBA{70, 70, 70, 255}, color.RGBA{150, 95, 40, 255},
}

// Look is the colour of curve i of a chart and whether it is dotted, by which twice as
// many curves as there are Colors can be told apart.
func Look(i int) (c color.Color, dotted bool) {
	return Colors[i%len(Colors)], i/len(Colors)%2 == 1
}

// Chart is a figure of curves. Its vertical axis is logarithmic by default.
type Chart struct {
	Title, X, Y string
	Lines       []Line
	// LogX makes the horizontal axis logarithmic, LinearY the vertical axis linear.
	LogX, LinearY bool
	// YMin and YMax bound the vertical axis unless they are 0.
	YMin, YMax float64
	// Points are marked on top of the curves.
	Points []Point
}

// Point is a marked point with a legend entry.
type Point struct {
	Name  string
	X, Y  float64
	Color color.Color
}

const (
	width, height = 27 * vg.Centimeter, 14 * vg.Centimeter
	legendWidth   = 7.8 * vg.Centimeter
	dpi           = 110
)

// Save writes the chart to files, each a PNG or an SVG according to the ending of its
// name. Points that a logarithmic axis cannot show are left out.
func (c Chart) Save(paths ...string) error {
	p, legend, err := c.plot()
	if err != nil {
		return errors.WithMessagef(err, "chart %q", c.Title)
	}
	for _, path := range paths {
		if err := save(path, p, legend); err != nil {
			return err
		}
	}
	return nil
}

func (c Chart) plot() (*plot.Plot, plot.Legend, error) {
	p, legend := c.frame()
	if err := c.drawLines(p, &legend); err != nil {
		return nil, legend, err
	}
	for _, m := range c.Points {
		dot, err := plotter.NewScatter(plotter.XYs{{X: m.X, Y: m.Y}})
		if err != nil {
			return nil, legend, errors.Wrap(err, m.Name)
		}
		dot.GlyphStyle = draw.GlyphStyle{Color: m.Color, Radius: 4, Shape: draw.CircleGlyph{}}
		p.Add(dot)
		legend.Add(m.Name, dot)
	}
	c.fitAxes(p)
	return p, legend, nil
}

// frame has the title, the axes, the grid and an empty legend.
func (c Chart) frame() (*plot.Plot, plot.Legend) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Title.TextStyle.Font.Size, p.Title.Padding = 14, 3*vg.Millimeter
	if !c.LinearY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	if c.LogX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	legend := plot.NewLegend()
	legend.Top, legend.Left, legend.ThumbnailWidth, legend.Padding = true, true, 9*vg.Millimeter, 2*vg.Millimeter
	return p, legend
}

func (c Chart) drawLines(p *plot.Plot, legend *plot.Legend) error {
	for _, l := range c.Lines { // bands lie below all curves
		if band := c.band(l); band != nil {
			p.Add(band)
		}
	}
	for _, l := range c.Lines {
		points := c.visible(l.X, l.Y)
		if len(points) == 0 {
			continue
		}
		curve, err := plotter.NewLine(points)
		if err != nil {
			return errors.Wrap(err, l.Name)
		}
		curve.Color, curve.Width = l.Color, 1.6
		curve.Dashes = l.dashes()
		p.Add(curve)
		legend.Add(l.Name, curve)
	}
	return nil
}

// dashes are the lengths of strokes and gaps in turn.
func (l Line) dashes() []vg.Length {
	switch {
	case l.Dashed && l.Dotted:
		return []vg.Length{5, 2, 1, 2}
	case l.Dashed:
		return []vg.Length{5, 3}
	case l.Dotted:
		return []vg.Length{1, 2}
	}
	return nil
}

func (c Chart) fitAxes(p *plot.Plot) {
	if !(p.Y.Min <= p.Y.Max) { // no curve
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 1, 10
		if c.LogX {
			p.X.Min = 0.1
		}
	}
	if c.YMin != 0 {
		p.Y.Min = c.YMin
	}
	if c.YMax != 0 {
		p.Y.Max = c.YMax
	}
	if !c.LinearY {
		p.Y.Min, p.Y.Max = p.Y.Min/1.1, p.Y.Max*1.1
	}
}

// save draws the plot and, beside it, the legend.
func save(path string, p *plot.Plot, legend plot.Legend) error {
	var canvas vg.CanvasSizer
	var img io.WriterTo
	switch filepath.Ext(path) {
	case ".svg":
		svg := vgsvg.New(width, height)
		canvas, img = svg, svg
	case ".png":
		png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
		canvas, img = png, png
	default:
		return errors.Errorf("chart %s: neither .png nor .svg", path)
	}
	page := draw.Crop(draw.New(canvas), 4*vg.Millimeter, -4*vg.Millimeter, 4*vg.Millimeter, -4*vg.Millimeter)
	p.Draw(draw.Crop(page, 0, -legendWidth, 0, 0))
	legend.Draw(draw.Crop(page, width-8*vg.Millimeter-legendWidth+4*vg.Millimeter, 0, 0, -12*vg.Millimeter))
	return write(path, img)
}

func write(path string, img io.WriterTo) error {
	var content bytes.Buffer
	if _, err := img.WriteTo(&content); err != nil {
		return errors.Wrapf(err, "chart %s", path)
	}
	return errors.Wrapf(durable.WriteFile(path, content.Bytes()), "chart %s", path)
}
