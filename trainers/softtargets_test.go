package trainers

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/batch"
)

// softRows are one-hot rows of the classes of d, times weight(i) for example i.
func softRows(d Data, classes int, weight func(i int) float64) Data {
	rows := tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(d.Len(), classes))
	for i, c := range d.T.Ints() {
		rows.Float64s()[i*classes+c] = weight(i)
	}
	return Data{X: d.X, T: rows}
}

// TestSoftTargetsEqualClasses compares runs and evaluations on class numbers with those on
// one-hot rows, and rules that draw targets.
func TestSoftTargetsEqualClasses(t *testing.T) {
	numbers := toyData(t, tensor.Float64)
	rows := softRows(numbers, 3, func(int) float64 { return 1 })
	for name, o := range map[string]func() Optimizer{
		"sgdm": func() Optimizer { return SGDm(0.05) }, "precond": func() Optimizer { return Precond(0) },
		"kfac": func() Optimizer { return KFAC(0.01) }, "singd": func() Optimizer { return SINGD(0.01) },
	} {
		var weights [2][]float64
		var results [2]Evaluation
		for i, loss := range []graph.Loss{graph.SoftmaxCrossEntropy, graph.SoftCrossEntropy} {
			tr, err := New(toyModel(), loss, o(), Dtype(tensor.Float64), EveryK(3), Seed(3))
			if err != nil {
				t.Fatal(name, err)
			}
			d := []Data{numbers, rows}[i]
			for step := range 12 {
				if _, err := tr.Step(rowsOf(d, step%5*12, 12)); err != nil {
					t.Fatal(name, err)
				}
			}
			weights[i] = weightsOf(tr)
			if results[i], err = tr.Evaluate(d, 10); err != nil {
				t.Fatal(name, err)
			}
		}
		if d := distance(weights[1], weights[0]); !(d < 1e-9) {
			t.Errorf("%s: weights are %.1e apart", name, d)
		}
		if a, b := results[0], results[1]; a.Accuracy != b.Accuracy || !(math.Abs(a.Loss-b.Loss) < 1e-9) {
			t.Errorf("%s: %+v with class numbers, %+v with one-hot rows", name, a, b)
		}
	}
}

// TestSoftTargetsWeigh: an example of weight 2 has the gradient of two, one of weight 0 none, and
// is not in the accuracy.
func TestSoftTargetsWeigh(t *testing.T) {
	numbers := toyData(t, tensor.Float64)
	gradient := func(d Data, at ...int) (g []float64) {
		tr, err := New(layers.MLP(4, 5, 3), graph.SoftCrossEntropy, SGD(0.1), Dtype(tensor.Float64), EveryK(0))
		if err != nil {
			t.Fatal(err)
		}
		b := d.NewBatch(len(at))
		d.Fill(b, at, batch.Draw{})
		if _, err := tr.Step(b); err != nil {
			t.Fatal(err)
		}
		for _, x := range tr.LastGradient() {
			for _, v := range x.Value.Float64s() {
				g = append(g, v*float64(len(at))) // the mean is over all examples
			}
		}
		return g
	}
	one := softRows(numbers, 3, func(int) float64 { return 1 })
	weighted := softRows(numbers, 3, func(i int) float64 { return []float64{1, 2, 0}[i%3] })
	want := gradient(one, 0, 1, 1, 3, 4, 4)
	if d := distance(gradient(weighted, 0, 1, 2, 3, 4, 5), want); !(d < 1e-14) {
		t.Errorf("gradients are %.1e apart", d)
	}

	tr, err := New(layers.MLP(4, 5, 3), graph.SoftCrossEntropy, SGD(0.1), Dtype(tensor.Float64))
	if err != nil {
		t.Fatal(err)
	}
	all, err := tr.Evaluate(weighted, 7)
	if err != nil {
		t.Fatal(err)
	}
	var some []int
	for i := range numbers.Len() {
		if i%3 < 2 {
			some = append(some, i)
		}
	}
	left := numbers.NewBatch(len(some))
	numbers.Fill(left, some, batch.Draw{})
	rest, err := tr.Evaluate(softRows(Data{X: left.X[0], T: left.T[0]}, 3, func(int) float64 { return 1 }), 7)
	if err != nil {
		t.Fatal(err)
	}
	if all.Accuracy != rest.Accuracy {
		t.Errorf("accuracy %v with rows of zeros, %v without", all.Accuracy, rest.Accuracy)
	}
	_, err = tr.Step(rowsOf(numbers, 0, 6))
	wantError(t, "class numbers", err, "int", "SoftmaxCrossEntropy")
	hard, err := New(layers.MLP(4, 5, 3), graph.SoftmaxCrossEntropy, SGD(0.1), Dtype(tensor.Float64))
	if err != nil {
		t.Fatal(err)
	}
	_, err = hard.Step(rowsOf(one, 0, 6))
	wantError(t, "rows", err, "float64", "SoftCrossEntropy")
}
