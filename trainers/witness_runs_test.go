package trainers_test

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// witnesses are all runs: each optimizer on a perceptron and on a convolutional
// net, some in float64, with Calibrated, and on a user's graph.
func witnesses() []witness {
	rates := []struct {
		optimizer string
		lr        float64
	}{
		{"sgd", 0.05}, {"sgdm", 0.02}, {"rmsprop", 0.003}, {"adam", 0.005}, {"adamw", 0.005},
		{"kfac", 0.02}, {"ekfac", 0.02}, {"shampoo", 0.02},
		{"precond", 0.05}, {"precond-above", 0.5}, {"precond-trust", 0.5},
	}
	settings := map[string]string{
		"sgdm": `{"nesterov": true, "weight_decay": 0.01}`, "adamw": `{"weight_decay": 0.01}`,
		"kfac": `{"factor_every": 2, "inverse_every": 4}`, "ekfac": `{"factor_every": 2, "basis_every": 4, "scale_every": 2}`,
		"shampoo": `{"root_every": 3, "block_size": 4}`,
	}
	var all []witness
	add := func(name, optimizer string, lr float64, start starter, dt tensor.Dtype, opts ...trainers.Option) {
		all = append(all, witness{name, optimizer, lr, settings[optimizer], start, dt, opts})
	}
	for _, r := range rates {
		add(r.optimizer+"-mlp", r.optimizer, r.lr, perceptron, tensor.Float32)
		add(r.optimizer+"-conv", r.optimizer, r.lr, convNet, tensor.Float32)
		switch r.optimizer {
		case "adam", "kfac", "precond", "precond-trust":
			add(r.optimizer+"-mlp-float64", r.optimizer, r.lr, perceptron, tensor.Float64)
		}
	}
	calibrated := trainers.Calibrated(trainers.CalibratedConfig{Horizon: 40})
	for _, o := range []string{"sgdm", "rmsprop", "adam"} {
		add(o+"-calibrated", o, 0.01, perceptron, tensor.Float32, calibrated)
	}
	settings["precond"] = `{"full_matrix": true}`
	add("precond-full", "precond", 0.05, smallPerceptron, tensor.Float32)
	settings["precond"] = `{"max_dim": 4, "momentum_mode": "grad"}` // a diagonal for the first layer
	add("precond-diagonal", "precond", 0.05, smallPerceptron, tensor.Float32)
	delete(settings, "precond")
	kl := trainers.FSD(0.5, graph.CategoricalKL)
	add("adam-per-param", "adam", 0.005, perceptron, tensor.Float32, trainers.RatePerParam(), trainers.WSD(0.01), trainers.WithSchedule(trainers.Cosine(30, 0.1)))
	add("adam-wrap", "adam", 0.005, wrapped, tensor.Float32, kl)
	add("precond-wrap", "precond", 0.05, wrapped, tensor.Float32, kl)
	settings["kfac"] = `{"factor_every": 2, "inverse_every": 4, "empirical": true}` // one-hot targets cannot be drawn
	add("kfac-problem", "kfac", 0.02, fromProblem, tensor.Float32, kl)
	add("precond-above-problem", "precond-above", 0.5, fromProblem, tensor.Float64, kl)
	return all
}

type starter = func(o trainers.Optimizer, dt tensor.Dtype, opts []trainers.Option) (witnessRun, error)

// trainerRun is a Trainer with the batches of its run.
type trainerRun struct {
	*trainers.Trainer
	batch func(n int) graph.Batch
}

func (r trainerRun) step(n int) error {
	_, err := r.Step(r.batch(n))
	return err
}

func startTrainer(m graph.Model, o trainers.Optimizer, dt tensor.Dtype, opts []trainers.Option, shape ...int) (witnessRun, error) {
	tr, err := trainers.New(m, graph.SoftmaxCrossEntropy, o, append(opts, trainers.Dtype(dt))...)
	return trainerRun{tr, func(n int) graph.Batch { return witnessBatch(n, dt, 3, shape...) }}, err
}

func perceptron(o trainers.Optimizer, dt tensor.Dtype, opts []trainers.Option) (witnessRun, error) {
	return startTrainer(layers.MLPWith(apoops.TanhAct, 4, 6, 3), o, dt, opts, 8, 4)
}

func smallPerceptron(o trainers.Optimizer, dt tensor.Dtype, opts []trainers.Option) (witnessRun, error) {
	return startTrainer(layers.MLPWith(apoops.TanhAct, 4, 2, 3), o, dt, opts, 8, 4)
}

func convNet(o trainers.Optimizer, dt tensor.Dtype, opts []trainers.Option) (witnessRun, error) {
	conv := layers.Conv(2, 3, 3, apoops.Identity)
	conv.Pad, conv.NoBias = [2]int{1, 1}, true
	m := layers.Sequential(conv, layers.BatchNorm(3, apoops.ReLUAct), layers.MaxPool(apoops.Pool{Kernel: [2]int{2, 2}}),
		layers.Flatten(), layers.Dropout(0.1), layers.Dense(12, 3, apoops.Identity))
	return startTrainer(m, o, dt, opts, 6, 2, 4, 4)
}

// userGraph is a net of Gorgonia's own ops with its initial weights.
func userGraph(dt tensor.Dtype) graph.Problem {
	g, must := gorgonia.NewGraph(), gorgonia.Must
	input := func(name string, cols int) *gorgonia.Node {
		return gorgonia.NewMatrix(g, dt, gorgonia.WithName(name), gorgonia.WithShape(8, cols))
	}
	weights := func(name string, rows, cols int) *gorgonia.Node {
		w := make([]float64, rows*cols)
		for i := range w {
			w[i] = float64(i*i%7-3) / 6
		}
		return gorgonia.NewMatrix(g, dt, gorgonia.WithName(name), gorgonia.WithValue(array(w, dt, rows, cols)))
	}
	x, y := input("x", 4), input("y", 3)
	w0, b0, w1, b1 := weights("w0", 4, 6), weights("b0", 1, 6), weights("w1", 6, 3), weights("b1", 1, 3)
	h := must(gorgonia.Tanh(must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w0)), b0, nil, []byte{0}))))
	logits := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(h, w1)), b1, nil, []byte{0}))
	hits := must(gorgonia.HadamardProd(must(gorgonia.LogSoftMax(logits)), y))
	cost := must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Sum(hits, 1))))))
	return graph.Problem{Cost: cost, Output: logits, Inputs: gorgonia.Nodes{x}, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{w0, b0, w1, b1}}
}

// oneHotBatch has a row of numbers for each class.
func oneHotBatch(n int, dt tensor.Dtype) graph.Batch {
	b := witnessBatch(n, dt, 3, 8, 4)
	rows := make([]float64, 8*3)
	for i, class := range b.T[0].Ints() {
		rows[i*3+class] = 1
	}
	return graph.NewBatch(b.X[0], array(rows, dt, 8, 3))
}

func fromProblem(o trainers.Optimizer, dt tensor.Dtype, opts []trainers.Option) (witnessRun, error) {
	tr, err := trainers.FromProblem(userGraph(dt), o, opts...)
	return trainerRun{tr, func(n int) graph.Batch { return oneHotBatch(n, dt) }}, err
}

// solverRun is a user's loop with a Solver.
type solverRun struct {
	*trainers.Solver
	problem graph.Problem
	dtype   tensor.Dtype
	vm      gorgonia.VM
}

func wrapped(o trainers.Optimizer, dt tensor.Dtype, opts []trainers.Option) (witnessRun, error) {
	p := userGraph(dt)
	if _, err := gorgonia.Grad(p.Cost, p.Params...); err != nil {
		return nil, err
	}
	s, err := trainers.Wrap(p, o, opts...)
	if err != nil {
		return nil, err
	}
	vm := gorgonia.NewTapeMachine(p.Cost.Graph(), gorgonia.BindDualValues(p.Params...))
	return solverRun{s, p, dt, vm}, nil
}

func (r solverRun) step(n int) error {
	b := oneHotBatch(n, r.dtype)
	if err := gorgonia.Let(r.problem.Inputs[0], b.X[0]); err != nil {
		return err
	}
	if err := gorgonia.Let(r.problem.Targets[0], b.T[0]); err != nil {
		return err
	}
	if err := r.vm.RunAll(); err != nil {
		return err
	}
	defer r.vm.Reset()
	return r.Step(gorgonia.NodesToValueGrads(r.problem.Params))
}
