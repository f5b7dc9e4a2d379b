package trainers

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/average"
)

// crossEntropy is the mean loss of logits.
func crossEntropy(t *testing.T, y *tensor.Dense, labels []int) (mean float64) {
	t.Helper()
	cols := y.Shape()[1]
	all := numbersOf(y)
	for i, label := range labels {
		z, sum := all[i*cols:(i+1)*cols], 0.0
		for _, v := range z {
			sum += math.Exp(v - slices.Max(z))
		}
		mean += (math.Log(sum) + slices.Max(z) - z[label]) / float64(len(labels))
	}
	return mean
}

// TestPredictIsWhatEvaluateMeasures computes the loss of Evaluate from predictions, with
// dropout and batch norm, weights of an average and of Schedule-Free, and 16 bits, between
// steps, in parts of changing sizes.
func TestPredictIsWhatEvaluateMeasures(t *testing.T) {
	model := convNets()["residual"]
	for name, start := range map[string]func() (*Trainer, error){
		"adam": func() (*Trainer, error) { return New(model, graph.SoftmaxCrossEntropy, Adam(0.01)) },
		"averaged": func() (*Trainer, error) {
			return New(model, graph.SoftmaxCrossEntropy, Adam(0.01), Averaged(average.Exponential(0.9)))
		},
		"schedule-free": func() (*Trainer, error) { return New(model, graph.SoftmaxCrossEntropy, ScheduleFreeAdamW(0.01)) },
		"bfloat16": func() (*Trainer, error) {
			return New(model, graph.SoftmaxCrossEntropy, Adam(0.01), Precision(apoops.BFloat16))
		},
	} {
		tr, err := start()
		if err != nil {
			t.Fatal(err)
		}
		data := in(tensor.Float32, pictures())
		for step := range 6 {
			b := rowsOf(data, step*3, 6)
			if _, err := tr.Step(b); err != nil {
				t.Fatal(err)
			}
			want, err := tr.Evaluate(data, 24)
			if err != nil {
				t.Fatal(err)
			}
			loss := 0.0
			for from := 0; from < 24; {
				n := min(24-from, 7+step)
				part := rowsOf(data, from, n)
				y, err := tr.Predict(part.X...)
				if err != nil {
					t.Fatal(err)
				}
				loss += crossEntropy(t, y, part.T[0].Ints()) * float64(n) / 24
				from += n
			}
			if math.Abs(loss-want.Loss) > 1e-5*want.Loss {
				t.Errorf("%s, step %d: the loss of the predictions is %v, Evaluate has %v", name, step, loss, want.Loss)
			}
		}
	}
}

// TestPredictByAUsersGraph compares with the output of the user's own machine.
func TestPredictByAUsersGraph(t *testing.T) {
	s := newStockNet(tensor.Float64, 6, stockNets["mlp"])
	tr := fromStock(t, s, SGD(0.1), EveryK(0))
	trainStock(t, s, tr, 0, 3)
	b := s.batch(4)
	y, err := tr.Predict(b.X...)
	if err != nil {
		t.Fatal(err)
	}
	s.machine(t)
	s.feed(t, b)
	if err := s.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if d := distance(numbersOf(y), numbersOf(s.problem.Output.Value().(*tensor.Dense))); d > 1e-12 {
		t.Errorf("the prediction is %.1e from the machine's", d)
	}
	if _, err := tr.Predict(rowsOf(Data{X: b.X[0], T: b.T[0]}, 0, 3).X...); err == nil {
		t.Error("a batch of another size is accepted")
	}
}

func TestPredictRefusesWrongInputs(t *testing.T) {
	tr, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, SGD(0.1))
	if err != nil {
		t.Fatal(err)
	}
	nan := denseOf([]float32{1, 2, float32(math.NaN()), 4}, 1, 4)
	for what, x := range map[string][]*tensor.Dense{
		"none": nil, "nil": {nil}, "NaN": {nan}, "five columns": {denseOf(make([]float32, 5), 1, 5)}, "float64": {denseOf(make([]float64, 4), 1, 4)},
	} {
		if _, err := tr.Predict(x...); err == nil {
			t.Errorf("%s: no error", what)
		} else {
			wantError(t, what, err, "predicting")
			t.Log(err)
		}
	}
	y, err := tr.Predict(denseOf(make([]float32, 8), 2, 4))
	if err != nil || !y.Shape().Eq(tensor.Shape{2, 3}) {
		t.Fatalf("%v of shape %v", err, y.Shape())
	}
	kept := slices.Clone(y.Float32s())
	if _, err := tr.Predict(denseOf([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 4)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(kept, y.Float32s()) {
		t.Error("a prediction changed an earlier one")
	}
	if _, err := new(Trainer).Predict(); err == nil {
		t.Error("a Trainer that was not made predicts")
	}
}
