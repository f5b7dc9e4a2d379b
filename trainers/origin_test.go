package trainers

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/internal/array"
)

// deep is a net of linear layers with a dropout layer, on 6 inputs of 4 elements.
func deep(t *testing.T, dt tensor.Dtype) *Trainer {
	t.Helper()
	linear := func(i, o int) layers.Layer { return layers.Dense(i, o, apoops.Identity) }
	model := layers.Sequential(linear(4, 5), layers.Dropout(0.1), linear(5, 5), layers.Activation(apoops.ReLUAct), linear(5, 3))
	tr, err := New(model, graph.SquaredError, SGD(1e-3), Dtype(dt), EveryK(2))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// batchOf has inputs of one value and targets of another.
func batchOf(dt tensor.Dtype, x, t float64) graph.Batch {
	fill := func(v float64, cols int) *tensor.Dense {
		a := tensor.New(tensor.WithShape(6, cols), tensor.Of(dt))
		for i := range 6 * cols {
			if dt == tensor.Float32 {
				a.Float32s()[i] = float32(v)
			} else {
				a.Float64s()[i] = v
			}
		}
		return a
	}
	return graph.NewBatch(fill(x, 4), fill(t, 3))
}

// TestNonFiniteStepsNameTheLayer makes the values of a step overflow at one place
// after the other, with weights of 1 in the layers before.
func TestNonFiniteStepsNameTheLayer(t *testing.T) {
	for what, c := range map[string]struct {
		x, weight float64 // of the inputs and of the middle layer
		target    float64
		want      string
	}{
		"poisoned weight":  {1, math.NaN(), 1, "the loss is NaN; the first non-finite values are in the parameter dense1;"},
		"infinite weight":  {1, math.Inf(1), 1, "in the parameter dense1;"},
		"exploding inputs": {3e38, 1, 1, "in the output of dense0;"},
		"exploding layer":  {1e20, 1e20, 1, "in the output of dense1;"},
		"exploding loss":   {1, 1, 1e30, "the loss is +Inf; the first non-finite values are in the loss;"},
		"infinite inputs":  {math.Inf(1), 1, 1, "in the output of dense0;"},
	} {
		tr := deep(t, tensor.Float32)
		if _, err := tr.Step(batchOf(tensor.Float32, 1, 1)); err != nil {
			t.Fatal(err)
		}
		for i, p := range tr.Params() {
			for j := range p.Value.Float32s() {
				p.Value.Float32s()[j] = 1
			}
			if i == 1 {
				p.Value.Float32s()[7] = float32(c.weight)
			}
		}
		var before []*tensor.Dense
		for _, p := range tr.Params() {
			before = append(before, p.Value.Clone().(*tensor.Dense))
		}
		_, err := tr.Step(batchOf(tensor.Float32, c.x, c.target))
		wantError(t, what, err, "trainers: step 1: ", c.want, "; the weights are as before the step")
		for i, p := range tr.Params() {
			sameArray(t, what+": "+p.Name, p.Value, before[i])
		}
		if tr.Steps() != 1 {
			t.Fatalf("%s: %d steps", what, tr.Steps())
		}
	}
}

// TestNonFiniteStepsNameTheConvolution makes a residual net of images overflow at
// one place after the other, and feeds it wrong images.
func TestNonFiniteStepsNameTheConvolution(t *testing.T) {
	const huge = 1e38
	filled := func(name string, v float64) func(*Trainer, []float32) {
		return func(tr *Trainer, _ []float32) { array.Fill(paramNamed(t, tr, name).Float32s(), float32(v)) }
	}
	poisoned := func(name string, v float64) func(*Trainer, []float32) {
		return func(tr *Trainer, _ []float32) { paramNamed(t, tr, name).Float32s()[1] = float32(v) }
	}
	image := func(v float64) func(*Trainer, []float32) {
		return func(_ *Trainer, x []float32) { x[500] = float32(v) }
	}
	for what, c := range map[string]struct {
		spoil func(tr *Trainer, x []float32)
		want  string
	}{
		"NaN in the first layer":  {poisoned("conv0", math.NaN()), "in the parameter conv0;"},
		"NaN in a branch":         {poisoned("residual2/conv0", math.NaN()), "in the parameter residual2/conv0;"},
		"Inf in a shortcut":       {poisoned("residual2/shortcut/conv0", math.Inf(-1)), "in the parameter residual2/shortcut/conv0;"},
		"NaN in a batch norm":     {poisoned("residual2/bn1/shift", math.NaN()), "in the parameter residual2/bn1/shift;"},
		"overflow, first layer":   {filled("conv0", huge), "in the output of conv0;"},
		"overflow, branch":        {filled("residual2/conv0", huge), "in the output of residual2/conv0;"},
		"overflow, batch norm":    {filled("residual2/bn1/scale", 3*huge), "in the output of residual2/bn1;"},
		"overflow, branch's last": {filled("residual2/conv2", huge), "in the output of residual2/conv2;"},
		"overflow, shortcut":      {filled("residual2/shortcut/conv0", 3*huge), "in the output of residual2/shortcut/conv0;"},
		"overflow, behind":        {filled("conv3", huge), "in the output of conv3;"},
		"overflow, last layer":    {filled("dense4", 3*huge), "in the output of dense4;"},
		"batch variance":          {image(1e25), `the value of statistic "bn1/variance" on the batch is not finite`},
		"infinite image":          {image(math.Inf(1)), "in the output of conv0;"},
		"NaN in an image":         {image(math.NaN()), "NaN at row 6"},
	} {
		tr := convTrainer(t, SGDm(1e-3), EveryK(2))
		batches := batchesOf(t, toyImages())
		for step := range 2 {
			if _, err := tr.Step(batches.At(step)); err != nil {
				t.Fatal(err)
			}
		}
		b := batches.At(2)
		c.spoil(tr, b.X[0].Float32s())
		var before []*tensor.Dense
		for _, p := range tr.Params() {
			before = append(before, p.Value.Clone().(*tensor.Dense))
		}
		_, err := tr.Step(b)
		wantError(t, what, err, "trainers: step 2: ", c.want)
		for i, p := range tr.Params() {
			sameArray(t, what+": "+p.Name, p.Value, before[i])
		}
	}
}

// TestOriginInActivations names layers without parameters by their place.
func TestOriginInActivations(t *testing.T) {
	model := layers.Sequential(layers.Dense(4, 3, apoops.Identity), square{}, layers.Dense(3, 3, apoops.Identity))
	tr, err := New(model, graph.SquaredError, SGD(1e-3), EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	_, err = tr.Step(batchOf(tensor.Float32, 1e25, 1))
	wantError(t, "overflow", err, "step 0", "in the output of layer 1 (square);")
}

type square struct{}

func (square) Kind() string                   { return "square" }
func (square) Params() ([]layers.Spec, error) { return nil, nil }

func (square) Apply(_ *graph.Pass, x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
	return gorgonia.Square(x)
}

// TestSolverNamesTheParameter poisons a weight of a user's graph.
func TestSolverNamesTheParameter(t *testing.T) {
	tr, err := New(layers.MLPWith(apoops.TanhAct, 4, 5, 3), graph.SoftmaxCrossEntropy, SGD(0.1))
	if err != nil {
		t.Fatal(err)
	}
	u := newUserGraph(t, tr, 12)
	solver, err := Wrap(u.problem, SGD(0.1), EveryK(0))
	if err != nil {
		t.Fatal(err)
	}
	u.compile(t)
	b := rowsOf(toyData(t, tensor.Float32), 0, 12)
	u.problem.Params[1].Value().(*tensor.Dense).Float32s()[4] = float32(math.NaN())
	for _, err := range []error{gorgonia.Let(u.x, b.X[0]), gorgonia.Let(u.y, b.T[0]), u.vm.RunAll()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	err = solver.Step(gorgonia.NodesToValueGrads(u.problem.Params))
	wantError(t, "poisoned weight", err, "step 0", "the loss is NaN", "in the parameter dense1;")
}
