package trainers_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// exclusiveOr is the set that the examples train on.
func exclusiveOr() trainers.Data {
	return trainers.Data{
		X: tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float32{0, 0, 0, 1, 1, 0, 1, 1})),
		T: tensor.New(tensor.WithShape(4), tensor.WithBacking([]int{0, 1, 1, 0})),
	}
}

// net is the model that the examples train.
func net() *layers.Model { return layers.MLPWith(apoops.TanhAct, 2, 8, 2) }

// train takes steps on the whole set.
func train(tr *trainers.Trainer, steps int) {
	data := exclusiveOr()
	for range steps {
		if _, err := tr.Step(graph.NewBatch(data.X, data.T)); err != nil {
			log.Fatal(err)
		}
	}
}

// SGD with momentum starts at a rate that is a thousand times too small. APO raises
// it by its gradient, every 10 steps.
func ExampleNew() {
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.SGDm(1e-4), trainers.EveryK(10), trainers.FSD(0.1))
	if err != nil {
		log.Fatal(err)
	}
	train(tr, 1500)
	result, err := tr.Evaluate(exclusiveOr(), 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("accuracy %.0f%%, the rate has grown: %t\n", 100*result.Accuracy, tr.Rates()[0] > 1e-3)
	// Output: accuracy 100%, the rate has grown: true
}

// The graph, the machine and the loop are Gorgonia's; the solver is swapped.
func ExampleWrap() {
	g, must := gorgonia.NewGraph(), gorgonia.Must
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(3, 1), gorgonia.WithName("x"))
	y := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(3, 1), gorgonia.WithName("y"))
	w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("w"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(1, 1), tensor.WithBacking([]float64{0}))))
	output := must(gorgonia.Mul(x, w))
	cost := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(output, y))))))
	if _, err := gorgonia.Grad(cost, w); err != nil {
		log.Fatal(err)
	}

	solver, err := trainers.Wrap(
		graph.Problem{Cost: cost, Output: output, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{w}},
		trainers.SGD(1e-3), trainers.EveryK(2), trainers.FSD(0.1, graph.HalfSquared))
	if err != nil {
		log.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	defer vm.Close()
	column := func(v ...float64) *tensor.Dense {
		return tensor.New(tensor.WithShape(3, 1), tensor.WithBacking(v))
	}
	must(x, gorgonia.Let(x, column(1, 2, 3)))
	must(y, gorgonia.Let(y, column(2, 4, 6)))
	for range 200 {
		if err := vm.RunAll(); err != nil {
			log.Fatal(err)
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(gorgonia.Nodes{w})); err != nil {
			log.Fatal(err)
		}
		vm.Reset()
	}
	fmt.Printf("w = %.3f, loss %.3f\n", w.Value().Data(), solver.Last().Loss)
	// Output: w = [2.000], loss 0.000
}

// The paper's APO-Precond learns the factors of a preconditioner in the place of a rate.
func ExamplePrecondPlain() {
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.PrecondPlain(0.5), trainers.EveryK(5), trainers.FSD(0.1), trainers.WSD(0.01))
	if err != nil {
		log.Fatal(err)
	}
	train(tr, 600)
	for _, factor := range tr.Phi() {
		fmt.Println(factor.Name, factor.Value.Shape())
	}
	result, err := tr.Evaluate(exclusiveOr(), 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("accuracy %.0f%%\n", 100*result.Accuracy)
	// Output:
	// dense0/A (8, 8)
	// dense0/B (3, 3)
	// dense0/S (3, 8)
	// dense1/A (2, 2)
	// dense1/B (9, 9)
	// dense1/S (9, 2)
	// accuracy 100%
}

// Calibrated measures the best rate before the first step: where it starts from
// hardly matters.
func ExampleCalibrated() {
	for _, start := range []float64{1e-6, 10} {
		const steps = 600
		tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.Adam(start),
			trainers.Calibrated(trainers.CalibratedConfig{Horizon: steps}))
		if err != nil {
			log.Fatal(err)
		}
		train(tr, steps)
		result, err := tr.Evaluate(exclusiveOr(), 4)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("from %g: accuracy %.0f%%\n", start, 100*result.Accuracy)
	}
	// Output:
	// from 1e-06: accuracy 100%
	// from 10: accuracy 100%
}

// A run that is saved, loaded and continued has the weights of one never stopped.
func ExampleTrainer_Save() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "run.ckpt")
	start := func() *trainers.Trainer {
		tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.Adam(0.01), trainers.EveryK(4))
		if err != nil {
			log.Fatal(err)
		}
		return tr
	}

	first := start()
	train(first, 10)
	if err := first.Save(path); err != nil {
		log.Fatal(err)
	}
	train(first, 10)

	second := start() // in another process, say
	if err := second.Load(path); err != nil {
		log.Fatal(err)
	}
	train(second, 10)
	for i, p := range first.Params() {
		fmt.Println(p.Name, p.Value.Eq(second.Params()[i].Value))
	}
	fmt.Println("steps:", second.Steps())
	// Output:
	// dense0 true
	// dense1 true
	// steps: 20
}

// Evaluate goes through a set in batches; accuracy is that of classes.
func ExampleTrainer_Evaluate() {
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.Adam(0.05), trainers.EveryK(0))
	if err != nil {
		log.Fatal(err)
	}
	train(tr, 300)
	result, err := tr.Evaluate(exclusiveOr(), 3) // batches of 3 rows and of 1
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("loss below 0.05: %t, accuracy %.2f\n", result.Loss < 0.05, result.Accuracy)
	// Output: loss below 0.05: true, accuracy 1.00
}

// Record gets what every step did; JSONL writes a line for each. A meta-step on a rate ends with
// the mini-batch of the next step.
func ExampleRecord() {
	var lines strings.Builder
	steps := &trainers.History{}
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.SGD(0.1), trainers.EveryK(2),
		trainers.Record(trainers.Multi(steps, trainers.Every(2, trainers.NewJSONL(&lines)))))
	if err != nil {
		log.Fatal(err)
	}
	train(tr, 4)
	for _, s := range steps.Steps {
		fmt.Printf("step %d at one rate: %t, meta-step: %t\n", s.Step, len(s.Rates) == 1, s.Meta != nil)
	}
	fmt.Println("lines:", strings.Count(lines.String(), "\n"))
	// Output:
	// step 0 at one rate: true, meta-step: false
	// step 1 at one rate: true, meta-step: true
	// step 2 at one rate: true, meta-step: false
	// step 3 at one rate: true, meta-step: true
	// lines: 2
}

// FindRate tries rates along the first step, which it does not take.
func ExampleTrainer_FindRate() {
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, trainers.SGD(1e-6), trainers.EveryK(0))
	if err != nil {
		log.Fatal(err)
	}
	data := exclusiveOr()
	found, err := tr.FindRate(func(int) (graph.Batch, error) { return graph.NewBatch(data.X, data.T), nil }, trainers.CalibratedConfig{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a rate above 0.1: %t, steps taken: %d\n", found.Rate > 0.1, tr.Steps())
	// Output: a rate above 0.1: true, steps taken: 0
}
