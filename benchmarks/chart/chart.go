package chart

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"path/filepath"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
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
	// Faint lines are thin, grey and below the others; the legend has their number alone.
	Faint bool
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

// The size of a picture. In a column of text that is 16 cm wide its letters are as large as
// those of the text, and at half of that width they can still be read.
const (
	width, height = 16 * vg.Centimeter, 10 * vg.Centimeter
	dpi           = 165

	titleSize, labelSize, textSize = 12, 11, 10
	curveWidth                     = 1.8
)

// Save writes the chart to files, each a PNG or an SVG according to the ending of its
// name. Points that a logarithmic axis cannot show are left out. The legend is inside the
// frame of the axes, where it hides no curve.
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

func (c Chart) plot() (*plot.Plot, *legend, error) {
	p := c.frame()
	l := &legend{style: p.X.Tick.Label}
	l.style.XAlign = text.XLeft
	if err := c.drawLines(p, l); err != nil {
		return nil, nil, err
	}
	for _, m := range c.Points {
		dot, err := plotter.NewScatter(plotter.XYs{{X: m.X, Y: m.Y}})
		if err != nil {
			return nil, nil, errors.Wrap(err, m.Name)
		}
		dot.GlyphStyle = draw.GlyphStyle{Color: m.Color, Radius: 4, Shape: draw.CircleGlyph{}}
		p.Add(dot)
		l.entries = append(l.entries, entry{name: m.Name, color: m.Color, dot: true})
	}
	c.fitAxes(p)
	size := p.DataCanvas(page(draw.NewCanvas(vgimg.New(width, height), width, height))).Size()
	l.place(p, size, c.inFrame(p))
	return p, l, nil
}

// inFrame are the curves, the edges of the bands and the points as parts of the frame.
func (c Chart) inFrame(p *plot.Plot) [][]vg.Point {
	var all [][]vg.Point
	add := func(x, y []float64) {
		var curve []vg.Point
		for _, v := range c.visible(x, y) {
			curve = append(curve, vg.Point{X: vg.Length(p.X.Norm(v.X)), Y: vg.Length(p.Y.Norm(v.Y))})
		}
		all = append(all, curve)
	}
	for _, l := range c.Lines {
		add(l.X, l.Y)
		if len(l.Low) > 0 {
			add(l.X, l.Low)
			add(l.X, l.High)
		}
	}
	for _, m := range c.Points {
		add([]float64{m.X}, []float64{m.Y})
	}
	return all
}

// frame has the title, the axes and the grid.
func (c Chart) frame() *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = c.X, c.Y
	for style, size := range map[*text.Style]vg.Length{
		&p.Title.TextStyle: titleSize, &p.X.Label.TextStyle: labelSize, &p.Y.Label.TextStyle: labelSize, &p.X.Tick.Label: textSize, &p.Y.Tick.Label: textSize,
	} {
		style.Font.Size, style.Font.Variant = size, "Sans"
	}
	p.Title.Text = inLines(c.Title, p.Title.TextStyle, width-2*margin)
	p.Title.Padding, p.X.Padding, p.Y.Padding = 2*vg.Millimeter, 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = linearTicks{}, linearTicks{}
	if !c.LinearY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	if c.LogX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	return p
}

// inLines breaks a text that is too wide near its middle.
func inLines(t string, style text.Style, most vg.Length) string {
	if style.Width(t) <= most {
		return t
	}
	place := -1
	for i, r := range t {
		if r == ' ' && (place < 0 || abs(2*i-len(t)) < abs(2*place-len(t))) {
			place = i
		}
	}
	if place < 0 {
		return t
	}
	return t[:place] + "\n" + t[place+1:]
}

func abs(n int) int { return max(n, -n) }

func (c Chart) drawLines(p *plot.Plot, l *legend) error {
	for _, line := range c.Lines { // bands lie below all curves
		if band := c.band(line); band != nil {
			p.Add(band)
		}
	}
	faint := 0
	for _, below := range []bool{true, false} {
		for _, line := range c.Lines {
			points := c.visible(line.X, line.Y)
			if line.Faint != below || len(points) == 0 {
				continue
			}
			curve, err := plotter.NewLine(points)
			if err != nil {
				return errors.Wrap(err, line.Name)
			}
			p.Add(curve)
			if below {
				faint++
				curve.Color, curve.Width = faintColor, curveWidth/2
				continue
			}
			curve.Color, curve.Width = line.Color, curveWidth
			curve.Dashes = line.dashes()
			l.entries = append(l.entries, entry{name: line.Name, color: line.Color, dashes: curve.Dashes})
		}
	}
	if faint > 0 {
		l.entries = append(l.entries, entry{name: fmt.Sprintf("others: %d", faint), color: faintColor})
	}
	return nil
}

var faintColor = color.Gray{150}

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
	if c.LogX && p.X.Min == p.X.Max { // plot would go one below and one above
		p.X.Min, p.X.Max = p.X.Min/2, 2*p.X.Max
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

const margin = 3 * vg.Millimeter

// page is the canvas within its margins. The last label of the horizontal axis needs more.
func page(c draw.Canvas) draw.Canvas { return draw.Crop(c, margin, -2*margin, margin, -margin) }

// save draws the plot and the legend.
func save(path string, p *plot.Plot, l *legend) error {
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
	all := draw.New(canvas)
	p.Draw(page(all))
	l.draw(p.DataCanvas(page(all)))
	return write(path, img)
}

func write(path string, img io.WriterTo) error {
	var content bytes.Buffer
	if _, err := img.WriteTo(&content); err != nil {
		return errors.Wrapf(err, "chart %s", path)
	}
	return errors.Wrapf(durable.WriteFile(path, content.Bytes()), "chart %s", path)
}
