package main

import (
	"context"
	"fmt"
	"image/color"
	"io"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/benchmarks/chart"
	"github.com/apo-gorgonia/apo/examples/internal/runlog"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers/search"
	"github.com/apo-gorgonia/apo/trainers/durable"
	"github.com/apo-gorgonia/apo/trainers/text"
)

// smoothing is the number of steps that the plotted loss is averaged over.
const smoothing = 50

// drawCurves draws the whole run from its logs, including what was before a resume.
func (t *training) drawCurves() error {
	log, err := runlog.ReadSteps(t.out)
	if err != nil {
		return err
	}
	name := "Transformer on " + t.Data + " by " + t.Optimizer
	valid := chart.Line{Name: "validation loss", Color: chart.Colors[1]}
	score := chart.Line{Name: "BLEU, greedy", Color: chart.Colors[0]}
	for _, e := range t.history {
		valid.X, valid.Y = append(valid.X, float64(e.step)), append(valid.Y, e.loss)
		score.X, score.Y = append(score.X, float64(e.step)), append(score.Y, e.bleu)
	}
	for file, c := range map[string]chart.Chart{
		"loss.png": {
			Title: fmt.Sprintf("Loss for each token, %s; on mini-batches with label smoothing, a running mean over %d steps", name, smoothing),
			X:     "step", Y: "loss", Lines: []chart.Line{runlog.Loss(log, smoothing), valid},
		},
		"bleu.png": {Title: "BLEU of the validation set, " + name, X: "step", Y: "BLEU", LinearY: true, Lines: []chart.Line{score}},
	} {
		if err := c.Save(t.path(file)); err != nil {
			return err
		}
	}
	return nil
}

// weights are those of attention: element [i][j] is how much position i of the target
// sees position j of the source.
type weights [][]float64

// Dims implements plotter.GridXYZ.
func (w weights) Dims() (columns, rows int) { return len(w[0]), len(w) }

// Z implements plotter.GridXYZ; the first position of the target is at the top.
func (w weights) Z(column, row int) float64 { return w[len(w)-1-row][column] }

// X implements plotter.GridXYZ.
func (w weights) X(column int) float64 { return float64(column) }

// Y implements plotter.GridXYZ.
func (w weights) Y(row int) float64 { return float64(row) }

// drawAttention draws which parts of a source the decoder's last block sees while it
// writes the translation, on average over the heads.
func (t *training) drawAttention(ctx context.Context, s *search.Searcher, source []int) error {
	found, err := s.Search(ctx, [][]int{source})
	if err != nil {
		return err
	}
	target := found[0][0].Tokens
	w, err := t.attention(source, target)
	if err != nil {
		return err
	}
	columns, err := t.names(append(slices.Clone(source), text.End))
	if err != nil {
		return err
	}
	rows, err := t.names(append(slices.Clone(target), text.End))
	if err != nil {
		return err
	}
	slices.Reverse(rows)
	p := plot.New()
	p.Title.Text = "Attention to the source, decoder's last block, mean over heads"
	heat := plotter.NewHeatMap(w, greys(64))
	heat.Min, heat.Max = 0, 1
	p.Add(heat)
	p.NominalX(columns...)
	p.NominalY(rows...)
	p.X.Tick.Label.Rotation = 0.8
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = -1, -0.5
	side := func(n int) vg.Length { return vg.Length(max(n, 6))*0.9*vg.Centimeter + 4*vg.Centimeter }
	image, err := p.WriterTo(side(len(columns)), side(len(rows)), "png")
	if err != nil {
		return err
	}
	return durable.Write(t.path("attention.png"), func(w io.Writer) error {
		_, err := image.WriteTo(w)
		return err
	})
}

// greys is a palette of so many colours from white to black.
type greys int

// Colors implements palette.Palette.
func (n greys) Colors() []color.Color {
	all := make([]color.Color, n)
	for i := range all {
		all[i] = color.Gray{uint8(255 - 255*i/(int(n)-1))}
	}
	return all
}

// names are the tokens of ids.
func (t *training) names(ids []int) ([]string, error) {
	all := make([]string, len(ids))
	for i, id := range ids {
		var err error
		if all[i], err = t.encoding.Vocabulary.Token(id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// attention are the weights of a translation, one row for each token and for the end.
func (t *training) attention(source, target []int) (weights, error) {
	source = append(slices.Clone(source), text.End)
	target = append([]int{text.Begin}, target...)
	row := func(tokens []int) *tensor.Dense {
		return tensor.New(tensor.WithShape(1, len(tokens)), tensor.WithBacking(tokens))
	}
	f, err := graph.NewForward(t.trainer.Params(), []*tensor.Dense{row(source), row(target)}, func(p *graph.Pass, x, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
		return t.model.CrossWeights(p, x, theta)
	})
	if err != nil {
		return nil, err
	}
	if err := f.Run(); err != nil {
		return nil, err
	}
	all := f.Result(t.Layers - 1).Float32s()
	w := make(weights, len(target))
	for i := range w {
		w[i] = make([]float64, len(source))
		for h := range t.Heads {
			for j := range source {
				w[i][j] += float64(all[(h*len(target)+i)*len(source)+j]) / float64(t.Heads)
			}
		}
	}
	return w, nil
}
