package graph

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// wanted wants the rows of all blocks, or of none.
type wanted struct {
	blocks []Block
	rows   int // as asked for last
	none   bool
}

func (w *wanted) RowBlocks() []Block { return w.blocks }

func (w *wanted) WantsRows(_, rows int) bool {
	w.rows = rows
	return !w.none
}

// TestRowsAreFactorsOfGradient takes steps with a graph that leaves gradients out, and
// with one that does not: everything has the same bits. The layers whose gradients have
// rows are listed.
func TestRowsAreFactorsOfGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(51, 1))
	p := problems(rng, 3, 3)[0]
	model := func(m Model, dt tensor.Dtype, pr problem) func() (Source, []*Param, []Block, Batch) {
		return func() (Source, []*Param, []Block, Batch) {
			params, err := m.Init(9, dt)
			must(t, err)
			return Objective{Model: m, Loss: pr.loss}, params, BlockPerParam(params), pr.batch
		}
	}
	small, large := images(rng, tensor.Float32, 3), images(rng, tensor.Float64, 3)
	for _, c := range []struct {
		name string
		rows []string // blocks
		make func() (Source, []*Param, []Block, Batch)
	}{
		{"dense with dropout", []string{"l0", "l1", "l2"}, model(mlp{widths: []int{3, 6, 5, 3}, act: apoops.TanhAct, dropout: 0.3}, tensor.Float64, p)},
		{"convolutions", []string{"dense"}, model(residual{classes: 3}, tensor.Float64, large)},
		{"convolutions in float32", []string{"dense"}, model(residual{classes: 3}, tensor.Float32, small)},
		{"weights used twice", nil, model(tied{mlp{widths: []int{3, 3}}}, tensor.Float64, p)},
		{"a user's pairs", []string{"w1", "w2"}, func() (Source, []*Param, []Block, Batch) {
			q, batch := stockProblem(t, rand.New(rand.NewPCG(42, 1)))
			params, err := q.LearnableParams()
			must(t, err)
			blocks, err := q.Blocks(params)
			must(t, err)
			return q, params, blocks, batch
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var results [][][]float64
			for i, r := range []*wanted{nil, {}, {none: true}} {
				src, params, blocks, batch := c.make()
				var reader RowReader
				if r != nil {
					r.blocks, reader = blocks, r
				}
				b, err := NewBaseRows(src, params, batch, apoops.NewRandom(5), reader)
				must(t, err)
				var all [][]float64
				for range 3 {
					must(t, b.Feed(batch), b.Run(), b.MoveStatistics())
					if i == 1 {
						checkRows(t, b, blocks, c.rows)
					}
					grads, err := b.Grads()
					must(t, err)
					for j, q := range Learned(params) {
						all = append(all, numbers(grads[j]))
						descend(q.Value, grads[j])
					}
					all = append(all, []float64{b.LossValue()})
					for _, q := range params {
						all = append(all, numbers(q.Value))
					}
				}
				results = append(results, all)
			}
			for i := range results[0] {
				if !slices.Equal(results[0][i], results[1][i]) || !slices.Equal(results[0][i], results[2][i]) {
					t.Fatalf("result %d: %v without rows, %v with, %v where none are wanted", i, results[0][i], results[1][i], results[2][i])
				}
			}
		})
	}
}

// checkRows compares the blocks that have rows with those that should.
func checkRows(t *testing.T, b *Base, blocks []Block, want []string) {
	t.Helper()
	g, rows, err := b.GradsAndRows()
	must(t, err)
	var got []string
	for i, r := range rows {
		if r.Len() == 0 {
			continue
		}
		got = append(got, blocks[i].Name)
		for _, j := range blocks[i].Params {
			if g[j] != nil || b.grads[j].Value() != nil {
				t.Errorf("%s: the graph has the gradient, too", blocks[i].Name)
			}
		}
		if r.Inputs() != blocks[i].Rows || r.S.Shape()[1] != blocks[i].Cols || r.S.Shape()[0] != r.Len() {
			t.Errorf("%s: A of shape %v (bias %v), S %v for %d×%d", blocks[i].Name, r.A.Shape(), r.Bias, r.S.Shape(), blocks[i].Rows, blocks[i].Cols)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows of %q, want %q", got, want)
	}
}
