package scaling

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/trainers/durable"
)

// write writes all files of the folder.
func (r *results) write(o *options) error {
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return errors.Wrap(err, "-out")
	}
	text, err := json.Marshal(r)
	if err != nil {
		return errors.Wrap(err, "measurements")
	}
	var table bytes.Buffer
	if err := r.writeCSV(&table); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"measurements.json": append(text, '\n'), "scaling.csv": table.Bytes(), "scaling.md": []byte(r.markdown(o)),
	} {
		if err := durable.WriteFile(filepath.Join(o.out, name), content); err != nil {
			return err
		}
	}
	for _, n := range o.nets {
		if err := r.draw(n, filepath.Join(o.out, pictureOf(n))); err != nil {
			return err
		}
	}
	return nil
}

// pictureOf is the name of a net's picture without its ending.
func pictureOf(n net) string { return "scaling-" + n.name }

// draw draws the predicted speedups of a net on a batch that stays as it is.
func (r *results) draw(n net, path string) error {
	g := growths[0]
	c := chart.Chart{
		Title: n.label + ": predicted speedup on a batch of " + quantity(g.batch(n, 1)) + " " + n.unit, X: "processes of one core", Y: "speedup",
		LogX: true, YMin: 0.1, YMax: 1024,
	}
	x := make([]float64, len(counts))
	for i, p := range counts {
		x[i] = float64(p)
	}
	for _, w := range r.Works {
		if w.Net != n.name {
			continue
		}
		colour := slices.IndexFunc(rules, func(q rule) bool { return q.name == w.Rule })
		for k, network := range r.networks {
			if r.Shared != nil && k == 0 {
				continue // one machine has no 1024 cores
			}
			l := chart.Line{Name: w.rule.label + ", " + network.Name, X: x, Color: chart.Colors[colour], Dashed: k%2 == 1, Dotted: k > 2}
			for _, p := range counts {
				l.Y = append(l.Y, w.speedup(g, p, network))
			}
			c.Lines = append(c.Lines, l)
		}
	}
	if len(c.Lines) == 0 {
		return nil
	}
	c.Lines = append(c.Lines, chart.Line{Name: "ideal", X: x, Y: x, Color: chart.Colors[6], Dotted: true})
	return c.Save(path+".svg", path+".png")
}
