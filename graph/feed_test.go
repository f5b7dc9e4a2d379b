package graph

import (
	"errors"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TestFeedAgain feeds the same arrays with other contents, others of the same contents, and
// the same memory in another shape.
func TestFeedAgain(t *testing.T) {
	model := mlp{widths: []int{3, 5, 2}, act: apoops.TanhAct}
	params, err := model.Init(1, tensor.Float64)
	must(t, err)
	batch := problems(rand.New(rand.NewPCG(7, 1)), 3, 2)[0].batch
	b, err := NewBase(Objective{Model: model, Loss: SoftmaxCrossEntropy}, params, batch, nil)
	must(t, err)
	loss := func(batch Batch) float64 {
		must(t, b.Feed(batch), b.Run())
		return b.LossValue()
	}
	x := batch.X[0].Float64s()
	first := loss(batch)
	x[0]++
	second := loss(batch)
	x[0]--
	if third := loss(batch); first == second || third != first {
		t.Errorf("losses %v, %v and %v of a batch, of one with another number, and of the first again", first, second, third)
	}
	x[0]++
	apart := Batch{X: []*tensor.Dense{batch.X[0].Clone().(*tensor.Dense)}, T: batch.T}
	x[0]--
	if got := loss(apart); got != second {
		t.Errorf("loss %v of an array of its own, not %v", got, second)
	}
	must(t, b.Feed(batch), batch.X[0].Reshape(3, 6))
	if err := b.Feed(batch); !errors.Is(err, ErrShape) {
		t.Errorf("the same memory in another shape: %v", err)
	}
}
