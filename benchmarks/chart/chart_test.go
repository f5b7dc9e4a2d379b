package chart

import (
	"fmt"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// colorsOf are the colours of a picture.
func colorsOf(t *testing.T, path string) map[color.RGBA]bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[color.RGBA]bool)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			found[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)] = true
		}
	}
	return found
}

func TestSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chart.png")
	c := Chart{Title: "title", X: "x", Y: "y", Lines: []Line{
		{Name: "falling", X: []float64{0, 1, 2}, Y: []float64{1, 0.1, 1e-5}, Color: Colors[0]},
		{Name: "with gaps", X: []float64{0, 1, 2, 3, 4}, Y: []float64{math.NaN(), 0, 2, math.Inf(1), 3}, Color: Colors[1], Dashed: true},
		{Name: "constant", X: []float64{0, 2}, Y: []float64{0.5, 0.5}, Color: Colors[2]},
		{Name: "empty"},
	}}
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	found := colorsOf(t, path)
	for i := range 3 {
		if !found[Colors[i].(color.RGBA)] {
			t.Errorf("line %d is not in the picture", i)
		}
	}
	if err := (Chart{Title: "nothing"}).Save(path); err != nil {
		t.Errorf("an empty chart: %v", err)
	}
	if err := c.Save(filepath.Join(path, "no", "folder.png")); err == nil {
		t.Error("no error for a folder that is not there")
	}
}

// Sixteen curves, solid or dashed, all look different.
// TestOnePoint draws curves of a single point, on all kinds of axes.
func TestOnePoint(t *testing.T) {
	for _, c := range []Chart{{}, {LogX: true}, {LinearY: true}, {LogX: true, LinearY: true}} {
		c.Lines = []Line{{Name: "a", X: []float64{1e-5}, Y: []float64{0.3}}, {Name: "b", X: []float64{0}, Y: []float64{-1}}}
		for _, name := range []string{"one.svg", "one.png"} {
			if err := c.Save(filepath.Join(t.TempDir(), name)); err != nil {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
}

func TestLooks(t *testing.T) {
	dir := t.TempDir()
	seen := make(map[string]string)
	for i := range 2 * len(Colors) {
		for _, dashed := range []bool{false, true} {
			name := fmt.Sprintf("curve %d, dashed %v", i, dashed)
			l := Line{Name: "curve", X: []float64{0, 1}, Y: []float64{1, 2}, Dashed: dashed}
			l.Color, l.Dotted = Look(i)
			path := filepath.Join(dir, "chart.svg")
			if err := (Chart{Lines: []Line{l}}).Save(path); err != nil {
				t.Fatal(err)
			}
			picture, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if same, ok := seen[string(picture)]; ok {
				t.Errorf("%s looks like %s", name, same)
			}
			seen[string(picture)] = name
		}
	}
}

func TestLogTicks(t *testing.T) {
	labels := func(lo, hi float64) []string {
		var all []string
		for _, tick := range (logTicks{}).Ticks(lo, hi) {
			if tick.Label != "" {
				all = append(all, tick.Label)
			}
		}
		return all
	}
	if got, want := labels(0.8e-3, 1.2), []string{"0.001", "0.01", "0.1", "1"}; !slices.Equal(got, want) {
		t.Errorf("three powers: %v, want %v", got, want)
	}
	if got, want := labels(0.3, 6), []string{"0.5", "1", "2", "5"}; !slices.Equal(got, want) {
		t.Errorf("little more than one: %v, want %v", got, want)
	}
}

func TestLinearTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   []string
	}{
		{0, 78000, []string{"0", "25000", "50000", "75000"}}, {0, 1.02, []string{"0", "0.5", "1"}}, {10, 76, []string{"10", "40", "70"}},
		{0, 7.8e6, []string{"0", "2.5e+06", "5e+06", "7.5e+06"}},
	} {
		var got []string
		for _, tick := range (linearTicks{}).Ticks(c.lo, c.hi) {
			if tick.Label != "" {
				got = append(got, tick.Label)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("from %v to %v: %v, want %v", c.lo, c.hi, got, c.want)
		}
	}
}

func TestSmooth(t *testing.T) {
	for i, v := range Smooth([]float64{3, 3, 3, 3}, 10) {
		if math.Abs(v-3) > 1e-12 {
			t.Errorf("value %d of a constant is %v", i, v)
		}
	}
	got := Smooth([]float64{0, 1}, 2) // weights 1/4 and 1/2 of what is 3/4 in all
	if got[0] != 0 || math.Abs(got[1]-2.0/3) > 1e-12 {
		t.Errorf("got %v", got)
	}
}

func TestSaveBandsAndPoints(t *testing.T) {
	dir := t.TempDir()
	png, svg := filepath.Join(dir, "chart.png"), filepath.Join(dir, "chart.svg")
	line := Line{Name: "line", X: []float64{1, 10, 100}, Y: []float64{1, 1, 1}, Color: Colors[0]}
	c := Chart{LogX: true, LinearY: true, YMin: -1, YMax: 2, Lines: []Line{line}}
	if err := c.Save(png); err != nil {
		t.Fatal(err)
	}
	plain := colorsOf(t, png)
	c.Lines[0].Low, c.Lines[0].High = []float64{0, 0, 0}, []float64{1.5, 1.5, 1.5}
	c.Points = []Point{{"point", 10, -0.5, Colors[1]}}
	if err := c.Save(png, svg); err != nil {
		t.Fatal(err)
	}
	found := colorsOf(t, png)
	if len(found) <= len(plain) || plain[Colors[1].(color.RGBA)] || !found[Colors[1].(color.RGBA)] {
		t.Error("band or point is not in the picture")
	}
	text, err := os.ReadFile(svg)
	if err != nil || !strings.Contains(string(text), "<svg") || !strings.Contains(string(text), "line") {
		t.Errorf("no SVG: %v", err)
	}
	if err := c.Save(filepath.Join(dir, "chart.gif")); err == nil {
		t.Error("no error for another format")
	}
}

// Faint lines are there, and share one entry of the legend.
func TestFaint(t *testing.T) {
	c := Chart{Lines: []Line{
		{Name: "first", X: []float64{0, 1}, Y: []float64{1, 2}, Color: Colors[0]},
		{Name: "second", X: []float64{0, 1}, Y: []float64{2, 3}, Color: Colors[1], Faint: true},
		{Name: "third", X: []float64{0, 1}, Y: []float64{3, 4}, Color: Colors[2], Faint: true},
	}}
	_, l, err := c.plot()
	if err != nil {
		t.Fatal(err)
	}
	if len(l.entries) != 2 || l.entries[0].name != "first" || l.entries[1].name != "others: 2" {
		t.Errorf("the legend has %v", l.entries)
	}
	path := filepath.Join(t.TempDir(), "faint.png")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	found := colorsOf(t, path)
	grey := color.RGBAModel.Convert(faintColor).(color.RGBA)
	if !found[grey] || !found[Colors[0].(color.RGBA)] || found[Colors[1].(color.RGBA)] {
		t.Error("the picture has not the colours of one line and of faint ones")
	}
}
