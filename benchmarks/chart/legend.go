package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// entry is an entry of the legend: a stroke, or a dot.
type entry struct {
	name   string
	color  color.Color
	dashes []vg.Length
	dot    bool
}

// legend lies inside the frame of the axes, where it hides no curve.
type legend struct {
	entries []entry
	style   text.Style
	columns int
	corner  vg.Point // its lower left corner as a part of the frame, from 0 to 1
}

const (
	strokeLength = 7 * vg.Millimeter
	entryGap     = 1.5 * vg.Millimeter
	legendMargin = 2 * vg.Millimeter
	maxColumns   = 4
)

func (l *legend) entryWidth() vg.Length {
	w := vg.Length(0)
	for _, e := range l.entries {
		w = max(w, l.style.Width(e.name))
	}
	return strokeLength + entryGap + w + 2*entryGap
}

func (l *legend) entryHeight() vg.Length { return 1.25 * l.style.Font.Size }

// size is the size of a legend of some columns.
func (l *legend) size(columns int) (w, h vg.Length) {
	rows := (len(l.entries) + columns - 1) / columns
	return vg.Length(columns) * l.entryWidth(), vg.Length(rows)*l.entryHeight() + entryGap
}

// places are corners and sides of the frame, in the order in which they are tried: where a
// legend lies between the left and the right, and the lower and the upper end.
var places = [][2]float64{{1, 1}, {1, 0}, {0, 0}, {0, 1}, {0.5, 1}, {0.5, 0}, {1, 0.5}, {0, 0.5}}

// place finds a free place for the legend in a frame of a size. Without one it is above the
// curves, for which the vertical axis becomes longer.
func (l *legend) place(p *plot.Plot, frame vg.Point, curves [][]vg.Point) {
	for columns := 1; columns <= min(maxColumns, len(l.entries)); columns++ {
		w, h := l.size(columns)
		part := vg.Point{X: (w + 2*legendMargin) / frame.X, Y: (h + 2*legendMargin) / frame.Y}
		if part.X > 1 || part.Y > 0.6 {
			continue
		}
		for _, at := range places {
			corner := vg.Point{X: vg.Length(at[0]) * (1 - part.X), Y: vg.Length(at[1]) * (1 - part.Y)}
			if !crossed(curves, vg.Rectangle{Min: corner, Max: corner.Add(part)}) {
				l.columns, l.corner = columns, corner
				return
			}
		}
	}
	l.columns = max(1, min(maxColumns, len(l.entries), int(frame.X/l.entryWidth())))
	w, h := l.size(l.columns)
	part := min(0.6, float64((h+2*legendMargin)/frame.Y))
	extend(p, part)
	l.corner = vg.Point{X: max(0, 1-(w+2*legendMargin)/frame.X), Y: vg.Length(1 - part)}
}

// extend makes the vertical axis longer, so that a part of it lies above the curves.
func extend(p *plot.Plot, part float64) {
	if _, ok := p.Y.Scale.(plot.LogScale); ok {
		p.Y.Max = p.Y.Min * math.Pow(p.Y.Max/p.Y.Min, 1/(1-part))
		return
	}
	p.Y.Max = p.Y.Min + (p.Y.Max-p.Y.Min)/(1-part)
}

// crossed reports whether one of the curves goes through a rectangle.
func crossed(curves [][]vg.Point, r vg.Rectangle) bool {
	const samples = 25 // of each piece of a curve
	for _, curve := range curves {
		for i, b := range curve {
			a := curve[max(0, i-1)]
			for k := range samples + 1 {
				at := a.Add(b.Sub(a).Scale(vg.Length(k) / samples))
				if at.X >= r.Min.X && at.X <= r.Max.X && at.Y >= r.Min.Y && at.Y <= r.Max.Y {
					return true
				}
			}
		}
	}
	return false
}

// draw draws the legend in the frame.
func (l *legend) draw(frame draw.Canvas) {
	if len(l.entries) == 0 {
		return
	}
	w, h := l.size(l.columns)
	low := vg.Point{X: frame.X(float64(l.corner.X)) + legendMargin, Y: frame.Y(float64(l.corner.Y)) + legendMargin}
	box := vg.Rectangle{Min: low, Max: low.Add(vg.Point{X: w, Y: h})}
	frame.SetColor(color.NRGBA{255, 255, 255, 215})
	frame.Fill(box.Path())
	rows := (len(l.entries) + l.columns - 1) / l.columns
	for i, e := range l.entries {
		x := low.X + vg.Length(i/rows)*l.entryWidth() + entryGap
		y := low.Y + h - (vg.Length(i%rows)+0.5)*l.entryHeight() - entryGap/2
		if e.dot {
			frame.DrawGlyph(draw.GlyphStyle{Color: e.color, Radius: 4, Shape: draw.CircleGlyph{}}, vg.Point{X: x + strokeLength/2, Y: y})
		} else {
			frame.StrokeLine2(draw.LineStyle{Color: e.color, Width: curveWidth, Dashes: e.dashes}, x, y, x+strokeLength, y)
		}
		style := l.style
		style.YAlign = text.YCenter
		frame.FillText(style, vg.Point{X: x + strokeLength + entryGap, Y: y}, e.name)
	}
}
