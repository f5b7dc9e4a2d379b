package rule

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// TestWeightDecaySkipsNothing has no gradient, so that the decay alone moves the
// weights: those of a matrix with its row of biases, and of a vector, such as a
// scale of batch norm.
func TestWeightDecaySkipsNothing(t *testing.T) {
	sgd, nesterov, rmsprop, adam := SGD(0.1), SGDm(0.1), RMSprop(0.1), Adam(0.1)
	sgd.WeightDecay, rmsprop.WeightDecay, adam.WeightDecay = 0.5, 0.5, 0.5
	nesterov.WeightDecay, nesterov.Nesterov = 0.5, true
	for name, c := range map[string]struct {
		o    Optimizer
		want func(w float64) float64 // after one step
	}{
		"sgd":      {sgd, func(w float64) float64 { return w - 0.1*0.5*w }},
		"nesterov": {nesterov, func(w float64) float64 { return w - 0.1*0.5*w*1.9 }},
		"rmsprop":  {rmsprop, func(w float64) float64 { return w - 0.1*math.Copysign(10, w) }},
		"adam":     {adam, func(w float64) float64 { return w - 0.1*math.Copysign(1, w) }},
		"adamw":    {AdamW(0.1), func(w float64) float64 { return w - 0.1*0.01*w }},
	} {
		params := []*graph.Param{
			{Name: "dense", Matrix: true, Value: tensor.New(tensor.WithShape(3, 2), tensor.WithBacking([]float64{1, -2, 3, -4, 5, -6}))},
			{Name: "scale", Value: tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{7, -8}))},
		}
		before := [][]float64{{1, -2, 3, -4, 5, -6}, {7, -8}}
		r, err := c.o.Start(&Task{Params: params})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Fused().Step(Input{T: 1, G: array.ZerosLike(params)}, []float64{0.1, 0.1}); err != nil {
			t.Fatal(err)
		}
		for i, p := range params {
			for j, got := range p.Value.Float64s() {
				if want := c.want(before[i][j]); math.Abs(got-want) > 1e-6 {
					t.Errorf("%s: element %d of %s went from %v to %v, want %v", name, j, p.Name, before[i][j], got, want)
				}
			}
		}
	}
}
