package trainers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers/datasets"
)

// TestCalibratedFallsBack: where the loss rises b becomes half of the rate at which it was lowest;
// a run that is resumed then goes on bit for bit, and one of an older version as it was.
func TestCalibratedFallsBack(t *testing.T) {
	const k, horizon, harm, harmful = 5, 200, 40, 20
	start := func() *Trainer {
		return toyTrainer(t, Adam(0.01), EveryK(k), Calibrated(CalibratedConfig{Horizon: horizon}))
	}
	fellBack := func(tr *Trainer) int {
		state := tr.engine.learner.State()
		numbers := state[len(state)-1].Value.Float64s()
		return int(numbers[len(numbers)-1])
	}
	tr := start()
	run(t, tr, 0, harm)
	if at := fellBack(tr); at != 0 {
		t.Fatalf("the loss has risen by step %d already", at)
	}
	before := base(tr)
	for step := harm; step < 2*harm && fellBack(tr) == 0; step++ {
		tr.Phi()[0].Value.Float64s()[0] = math.Log(harmful * before)
		run(t, tr, step, step+1)
	}
	if fellBack(tr) == 0 || base(tr) > before {
		t.Errorf("at a rate of %v the loss rises: seen at step %d, b is %v, before that it was %v", harmful*before, fellBack(tr), base(tr), before)
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	older := start()
	older.engine.c.WatchLoss = false
	run(t, older, 0, harm)
	for what, whole := range map[string]*Trainer{"after a rise": tr, "older": older} {
		if err := whole.Save(path); err != nil {
			t.Fatal(err)
		}
		resumed := start()
		if err := resumed.Load(path); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		run(t, whole, whole.Steps(), whole.Steps()+30)
		run(t, resumed, resumed.Steps(), resumed.Steps()+30)
		sameBits(t, what, whole.engine, resumed.engine)
	}
}

// TestCalibratedRecurrent trains an Elman net on the rows of images. The step that is best for a
// mini-batch harms the net: at that rate the loss ends near where it began.
func TestCalibratedRecurrent(t *testing.T) {
	const steps = 1000
	lastLoss := func(rise float64) (mean float64) {
		p, batch := elman(t)
		tr, err := FromProblem(p, SGDm(1e-6), FSD(1, graph.CategoricalKL), Calibrated(CalibratedConfig{Horizon: steps, Rise: rise}))
		if err != nil {
			t.Fatal(err)
		}
		for step := range steps {
			s, err := tr.Step(batch(step))
			if err != nil {
				t.Fatal(err)
			}
			if step >= steps-50 {
				mean += s.Loss / 50
			}
		}
		return mean
	}
	watched, not := lastLoss(0), lastLoss(1)
	t.Logf("loss %.3g, %.3g where it is not watched", watched, not)
	if watched > 0.3 || not < 0.5 {
		t.Errorf("loss %v, and %v where it is not watched", watched, not)
	}
}

// elman is an Elman net that reads the rows of 8x8 digits one after another, and its mini-batches.
func elman(t *testing.T) (graph.Problem, func(step int) graph.Batch) {
	const size, hidden, side, classes = 32, 32, 8, 10
	rng := rand.New(rand.NewPCG(1, 7))
	g := gorgonia.NewGraph()
	matrix := func(name string, rows, cols int, scale float64) *gorgonia.Node {
		v := make([]float32, rows*cols)
		for i := range v {
			v[i] = float32(scale * rng.NormFloat64())
		}
		return gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName(name), gorgonia.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))))
	}
	must := gorgonia.Must
	wx, wh, b := matrix("wx", side, hidden, 1/math.Sqrt(side)), matrix("wh", hidden, hidden, 1/math.Sqrt(hidden)), matrix("b", 1, hidden, 0)
	wo, bo := matrix("wo", hidden, classes, 1/math.Sqrt(hidden)), matrix("bo", 1, classes, 0)
	affine := func(x, y, b *gorgonia.Node) *gorgonia.Node {
		return must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, y)), b, nil, []byte{0}))
	}
	h := matrix("h0", size, hidden, 0)
	inputs := gorgonia.Nodes{h}
	for row := range side {
		x := matrix(fmt.Sprintf("x%d", row), size, side, 0)
		inputs = append(inputs, x)
		h = must(gorgonia.Tanh(must(gorgonia.Add(affine(x, wx, b), must(gorgonia.Mul(h, wh))))))
	}
	logits, y := affine(h, wo, bo), matrix("y", size, classes, 0)
	logs := must(gorgonia.Log(must(gorgonia.SoftMax(logits))))
	cost := must(gorgonia.Neg(must(gorgonia.Mean(must(gorgonia.Sum(must(gorgonia.HadamardProd(logs, y)), 1))))))
	train, _, err := datasets.Digits(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	batches, err := NewBatches(train, size, 1)
	if err != nil {
		t.Fatal(err)
	}
	batch := func(step int) graph.Batch {
		whole := batches.At(step)
		all := graph.Batch{X: []*tensor.Dense{tensor.New(tensor.WithShape(size, hidden), tensor.Of(tensor.Float32))}}
		for row := range side {
			v := make([]float32, size*side)
			for i := range size {
				copy(v[i*side:(i+1)*side], whole.X[0].Float32s()[(i*side+row)*side:])
			}
			all.X = append(all.X, tensor.New(tensor.WithShape(size, side), tensor.WithBacking(v)))
		}
		hot := make([]float32, size*classes)
		for i, class := range whole.T[0].Ints() {
			hot[i*classes+class] = 1
		}
		all.T = []*tensor.Dense{tensor.New(tensor.WithShape(size, classes), tensor.WithBacking(hot))}
		return all
	}
	return graph.Problem{Cost: cost, Output: logits, Inputs: inputs, Targets: gorgonia.Nodes{y}, Params: gorgonia.Nodes{wx, wh, b, wo, bo}}, batch
}
