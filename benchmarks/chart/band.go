package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/plotter"
)

// visible returns the points that the axes can show.
func (c Chart) visible(x, y []float64) plotter.XYs {
	var xy plotter.XYs
	for i, v := range y {
		if math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 && !c.LinearY || c.LogX && x[i] <= 0 {
			continue
		}
		xy = append(xy, plotter.XY{X: x[i], Y: v})
	}
	return xy
}

// band is the area between a line's bounds, or nil if it has none.
func (c Chart) band(l Line) *plotter.Polygon {
	if len(l.Low) == 0 {
		return nil
	}
	outline, low := c.within(c.visible(l.X, l.High)), c.within(c.visible(l.X, l.Low))
	for i := len(low) - 1; i >= 0; i-- {
		outline = append(outline, low[i])
	}
	if len(outline) < 3 {
		return nil
	}
	band, err := plotter.NewPolygon(outline)
	if err != nil { // of values that are not finite, which are left out
		return nil
	}
	r, g, b, _ := l.Color.RGBA()
	band.Color = color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 50}
	band.LineStyle.Width = 0
	return band
}

// within moves points to the bounds of the vertical axis, beyond which a polygon
// would be drawn too.
func (c Chart) within(xy plotter.XYs) plotter.XYs {
	for i := range xy {
		if c.YMin != 0 {
			xy[i].Y = max(xy[i].Y, c.YMin)
		}
		if c.YMax != 0 {
			xy[i].Y = min(xy[i].Y, c.YMax)
		}
	}
	return xy
}
