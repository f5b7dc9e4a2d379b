package trainers_test

import (
	"encoding/json"
	"fmt"
	"log"
	"slices"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/rule"
)

// lossFalls trains a net for 100 steps and says whether its loss is lower then.
func lossFalls(tr *trainers.Trainer) bool {
	loss := func() float64 {
		result, err := tr.Evaluate(exclusiveOr(), 4)
		if err != nil {
			log.Fatal(err)
		}
		return result.Loss
	}
	before := loss()
	train(tr, 100)
	return loss() < before
}

// Rules that find the length of their steps themselves. APO learns nothing there unless
// EveryK says so.
func ExampleProdigy() {
	for _, o := range []trainers.Optimizer{
		trainers.Prodigy(1), trainers.DAdaptAdam(1), trainers.DoG(1), trainers.LDoG(1), trainers.Mechanic(trainers.AdamW(0.001)),
		trainers.SGDHD(0.1), trainers.AdamHD(0.001), trainers.HDMHB(0.01),
	} {
		tr := start(o)
		fmt.Printf("%s: K = %d, the loss falls: %t\n", o.Name(), tr.K(), lossFalls(tr))
	}
	// Output:
	// prodigy: K = 0, the loss falls: true
	// dadapt-adam: K = 0, the loss falls: true
	// dog: K = 0, the loss falls: true
	// ldog: K = 0, the loss falls: true
	// mechanic-adamw: K = 0, the loss falls: true
	// sgd-hd: K = 0, the loss falls: true
	// adam-hd: K = 0, the loss falls: true
	// hdm-hb: K = 0, the loss falls: true
}

// Rules with a preconditioner for each weight matrix. Of the first four it is the curvature
// of the loss or the second moments of its gradient; APO learns their rate.
func ExampleKFAC() {
	for _, o := range []trainers.Optimizer{
		trainers.KFAC(0.01), trainers.EKFAC(0.01), trainers.SINGD(0.001), trainers.Shampoo(0.01),
		trainers.SOAP(0.003), trainers.Muon(0.02), trainers.PSGDKron(0.0003), trainers.Precond(0.1),
	} {
		fmt.Println(o.Name(), lossFalls(start(o)))
	}
	// Output:
	// kfac true
	// ekfac true
	// singd true
	// shampoo true
	// soap true
	// muon true
	// psgd-kron true
	// precond true
}

// What is evaluated and saved is an average. The weights of the training are others.
func ExampleScheduleFreeAdamW() {
	for _, o := range []trainers.Optimizer{trainers.ScheduleFreeSGD(1), trainers.ScheduleFreeAdamW(0.0025)} {
		tr := start(o)
		train(tr, 20)
		w := tr.Params()[0].Value
		last := w.Clone().(*tensor.Dense)
		if err := tr.Evaluated(func() error {
			fmt.Println(o.Name(), w.Eq(last))
			return nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// schedule-free-sgd false
	// schedule-free-adamw false
}

// The weight decay and ε are learned beside the rate. ε begins where it matters.
func ExampleLearnWeightDecay() {
	o := trainers.NAdamW(0.01)
	o.Eps = 0.001
	tr := start(o, trainers.EveryK(2), trainers.LearnWeightDecay(), trainers.LearnEpsilon(1e-6, 1))
	train(tr, 20)
	learned := tr.Hyperparameters()
	fmt.Println(len(learned), learned[rule.WeightDecay] != o.WeightDecay, learned[rule.Epsilon] != o.Eps)
	// Output: 2 true true
}

// The damping of KFAC is learned, and its rate is not.
func ExampleLearnDamping() {
	o := trainers.KFAC(0.01)
	o.Damping, o.KLClip = 0.1, 0
	tr := start(o, trainers.EveryK(5), trainers.FSD(3), trainers.RateBounds(0.01, 0.01), trainers.LearnDamping(1e-4, 10))
	train(tr, 50)
	fmt.Printf("rate %.2f, another damping: %t\n", tr.Rates()[0], tr.Hyperparameters()[rule.Damping] != o.Damping)
	// Output: rate 0.01, another damping: true
}

// The targets of KFAC's Fisher matrix, as another program has drawn them: every ten steps,
// as often as it computes its factors.
func ExampleSampledTargets() {
	var steps []int
	tr := start(trainers.KFAC(0.01), trainers.EveryK(0), trainers.SampledTargets(func(step int) []*tensor.Dense {
		steps = append(steps, step)
		return []*tensor.Dense{tensor.New(tensor.WithShape(4), tensor.WithBacking([]int{0, 1, 0, 1}))}
	}))
	train(tr, 25)
	fmt.Println(steps)
	// Output: [0 10 20]
}

// The last layer gets a diagonal P in place of A, B and S.
func ExampleBlocks() {
	tr := start(trainers.PrecondPlain(0.1), trainers.Blocks(func(params []*graph.Param) ([]graph.Block, error) {
		blocks := graph.BlockPerParam(params)
		blocks[len(blocks)-1].Form = graph.Diagonal
		return blocks, nil
	}))
	for _, factor := range tr.Phi() {
		fmt.Println(factor.Name, factor.Value.Shape())
	}
	// Output:
	// dense0/A (8, 8)
	// dense0/B (3, 3)
	// dense0/S (3, 8)
	// dense1/S (9, 2)
}

// An optimizer as a command line or a file of settings names it.
func ExampleNewOptimizer() {
	rate, err := trainers.DefaultRate("adamw")
	if err != nil {
		log.Fatal(err)
	}
	o, err := trainers.NewOptimizer("adamw", rate, json.RawMessage(`{"beta2": 0.98}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Name(), o.LearningRate())
	_, err = trainers.NewOptimizer("adamw", rate, json.RawMessage(`{"beta3": 0.98}`))
	fmt.Println(err)
	fmt.Println(slices.Contains(trainers.OptimizerNames(), "muon"))
	// Output:
	// adamw 0.001
	// trainers: settings of adamw: json: unknown field "beta3"
	// true
}

// heavy is SGD with a momentum of 0.99, under a name of its own.
type heavy struct{ rule.SGDConfig }

// Name is the name that checkpoints keep.
func (*heavy) Name() string { return "heavy" }

// NewOptimizer makes an optimizer of one's own by its name. A program registers it once.
func ExampleRegisterOptimizer() {
	err := trainers.RegisterOptimizer("heavy", 0.001, func(lr float64) trainers.Optimizer {
		return &heavy{rule.SGDConfig{LR: lr, Momentum: 0.99}}
	})
	if err != nil {
		log.Fatal(err)
	}
	o, err := trainers.NewOptimizer("heavy", 0.01, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Name(), o.LearningRate())
}
