package trainers

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
)

// withFixed is squaredWeights with a fixed leaf that is added to the output.
func withFixed() (p graph.Problem, fixed []float64) {
	p = squaredWeights()
	must := gorgonia.Must
	v := tensor.New(tensor.WithShape(8, 2), tensor.Of(tensor.Float64))
	f := gorgonia.NewMatrix(p.Cost.Graph(), tensor.Float64, gorgonia.WithName("f"), gorgonia.WithShape(8, 2), gorgonia.WithValue(v))
	p.Output, p.Fixed = must(gorgonia.Add(p.Output, f)), gorgonia.Nodes{f}
	p.Cost = must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(p.Output, p.Targets[0]))))))
	return p, v.Float64s()
}

// TestNaNIsNamed puts NaN in a leaf of each kind of a user's graph.
func TestNaNIsNamed(t *testing.T) {
	for want, place := range map[string]func(b graph.Batch, fixed []float64){
		`input "x" holds NaN at row 1 (element 5)`:      func(b graph.Batch, _ []float64) { b.X[0].Float64s()[5] = math.NaN() },
		`target "y" holds NaN at row 3 (element 6)`:     func(b graph.Batch, _ []float64) { b.T[0].Float64s()[6] = math.NaN() },
		`fixed leaf "f" holds NaN at row 4 (element 9)`: func(_ graph.Batch, fixed []float64) { fixed[9] = math.NaN() },
	} {
		p, fixed := withFixed()
		tr, err := FromProblem(p, SGD(0.01))
		wantNil(t, err)
		batch := regressionBatch()
		place(batch, fixed)
		_, err = tr.Step(batch)
		wantError(t, "FromProblem", err, "step 0", want)

		p, fixed = withFixed()
		s, err := Wrap(p, SGD(0.01))
		wantNil(t, err)
		_, err = gorgonia.Grad(p.Cost, p.Params...)
		wantNil(t, err)
		batch = regressionBatch()
		wantNil(t, gorgonia.Let(p.Inputs[0], batch.X[0]))
		wantNil(t, gorgonia.Let(p.Targets[0], batch.T[0]))
		vm := gorgonia.NewTapeMachine(p.Cost.Graph(), gorgonia.BindDualValues(p.Params...))
		wantNil(t, vm.RunAll())
		place(batch, fixed)
		wantError(t, "Wrap", s.Step(gorgonia.NodesToValueGrads(p.Params)), "step 0", want)
		wantNil(t, vm.Close())
	}
	p, _ := withFixed()
	tr, err := FromProblem(p, SGD(0.01), EveryK(1))
	wantNil(t, err)
	tilde := regressionBatch().X
	tilde[0].Float64s()[5] = math.NaN()
	_, err = tr.StepWith(regressionBatch(), tilde)
	wantError(t, "B'", err, "function-space batch B'", `input "x" holds NaN`)
}

// TestNumbersAsData feeds numbers as arrays of shape () and of shape (1).
func TestNumbersAsData(t *testing.T) {
	must := gorgonia.Must
	losses := make(map[float64]bool)
	for _, number := range []func(v float64) *tensor.Dense{
		func(v float64) *tensor.Dense { return tensor.New(tensor.FromScalar(v)) },
		func(v float64) *tensor.Dense { return denseOf([]float64{v}, 1) },
	} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(3))
		s, y := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("s")), gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("y"))
		w := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithValue(denseOf([]float64{1, 2, 3}, 3)))
		out := must(gorgonia.Mul(s, must(gorgonia.Mul(x, w))))
		p := graph.Problem{
			Cost: must(gorgonia.Square(must(gorgonia.Sub(out, y)))), Output: out, Inputs: gorgonia.Nodes{x, s}, Targets: gorgonia.Nodes{y},
			Params: gorgonia.Nodes{w}, Divergence: graph.HalfSquared,
		}
		tr, err := FromProblem(p, SGD(0.01), EveryK(1))
		wantNil(t, err)
		inputs := []*tensor.Dense{denseOf([]float64{1, 0, -1}, 3), number(2)}
		batch := graph.Batch{X: inputs, T: []*tensor.Dense{number(1)}}
		for range 2 {
			st, err := tr.StepWith(batch, inputs)
			wantNil(t, err)
			losses[st.Loss] = true
		}
		if batch.X[1] != inputs[1] || batch.T[0].Dims() > 1 {
			t.Error("the batch has changed")
		}
	}
	if len(losses) != 2 || !losses[25] {
		t.Errorf("losses %v, want 25 and a smaller one of both shapes", losses)
	}
}

// TestClassNumbersForOneHotRows wants the error to say what the graph takes.
func TestClassNumbersForOneHotRows(t *testing.T) {
	tr, err := FromProblem(squaredWeights(), SGD(0.01))
	wantNil(t, err)
	batch := regressionBatch()
	batch.T[0] = denseOf([]int{0, 1, 0, 1, 0, 1, 0, 1}, 8)
	_, err = tr.Step(batch)
	wantError(t, "class numbers", err, `target "y" is of dtype int, not float64`, "one-hot rows of 2 classes")
}
