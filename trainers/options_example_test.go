package trainers_test

import (
	"fmt"
	"log"
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
	"github.com/apo-gorgonia/apo/trainers/average"
)

// start makes a trainer of net.
func start(o trainers.Optimizer, options ...trainers.Option) *trainers.Trainer {
	tr, err := trainers.New(net(), graph.SoftmaxCrossEntropy, o, options...)
	if err != nil {
		log.Fatal(err)
	}
	return tr
}

// line makes a trainer of y = w·x, and returns its weight too.
func line(o trainers.Optimizer, options ...trainers.Option) (tr *trainers.Trainer, w *float32) {
	tr, err := trainers.New(layers.DeepLinear(1, 1), graph.SquaredError, o, options...)
	if err != nil {
		log.Fatal(err)
	}
	return tr, &tr.Params()[0].Value.Float32s()[0]
}

// point is the mini-batch of x = 1 alone.
func point(target float32) graph.Batch {
	one := func(v float32) *tensor.Dense {
		return tensor.New(tensor.WithShape(1, 1), tensor.WithBacking([]float32{v}))
	}
	return graph.NewBatch(one(1), one(target))
}

// Another meta-optimizer than Adam at 0.05, with limits for ∂Q/∂φ and for the rate.
func ExampleMeta() {
	for _, meta := range []trainers.Optimizer{trainers.MetaAdam(0.1), trainers.MetaRMSprop(0.1), trainers.MetaSGD(0.5)} {
		tr := start(trainers.SGD(0.001), trainers.EveryK(1), trainers.Meta(meta), trainers.ClipMeta(1), trainers.RateBounds(0.0001, 0.5))
		train(tr, 100)
		rate := tr.Rates()[0]
		fmt.Printf("%s: the rate has grown: %t, within its bounds: %t\n", meta.Name(), rate > 0.001, rate <= 0.5)
	}
	// Output:
	// adam: the rate has grown: true, within its bounds: true
	// rmsprop: the rate has grown: true, within its bounds: true
	// sgd: the rate has grown: true, within its bounds: true
}

// Adam's steps are 0.001 long on η itself. On log η that would be 0.1% of η.
func ExampleLinearRate() {
	tr := start(trainers.SGD(0.01), trainers.EveryK(1), trainers.LinearRate(), trainers.Meta(trainers.MetaAdam(0.001)))
	train(tr, 20)
	fmt.Printf("%.2f\n", tr.Rates()[0])
	// Output: 0.03
}

// The rates of single layers, or of groups of them.
func ExampleRateGroups() {
	for _, rates := range []trainers.Option{
		trainers.RatePerParam(),
		trainers.RateGroups(map[string]int{"dense0": 0, "dense1": 0, "dense2": 1}),
	} {
		tr, err := trainers.New(layers.MLP(2, 8, 8, 2), graph.SoftmaxCrossEntropy, trainers.SGD(0.01), rates)
		if err != nil {
			log.Fatal(err)
		}
		train(tr, 10)
		fmt.Println(len(tr.Rates()), "rates")
	}
	// Output:
	// 3 rates
	// 2 rates
}

// Rates that are judged by the mini-batch of their own step, as in the paper's Algorithm 1.
func ExampleSameBatch() {
	var history trainers.History
	train(start(trainers.SGD(0.1), trainers.SameBatch(), trainers.Record(&history)), 10)
	fmt.Println("a meta-step ended at step 0:", history.Steps[0].Meta != nil)
	// Output: a meta-step ended at step 0: true
}

// λ_FSD falls, λ_WSD stays: both are functions of the step.
func ExampleFSDSchedule() {
	var history trainers.History
	tr := start(trainers.SGD(0.1), trainers.EveryK(100), trainers.Record(&history),
		trainers.FSDSchedule(func(step int) float64 { return 1 / (1 + float64(step)/100) }), trainers.WSDSchedule(trainers.Const(0.01)))
	train(tr, 202)
	for _, s := range history.Steps {
		if s.Meta != nil { // of a meta-step that began a step before
			fmt.Printf("step %d: λ_FSD %.2f, λ_WSD %.2f\n", s.Step, s.Meta.LambdaFSD, s.Meta.LambdaWSD)
		}
	}
	// Output:
	// step 1: λ_FSD 1.00, λ_WSD 0.01
	// step 101: λ_FSD 0.50, λ_WSD 0.01
	// step 201: λ_FSD 0.33, λ_WSD 0.01
}

// B' is drawn anew for each meta-step, and half of its rows are taken.
func ExampleTildeFrom() {
	batches, err := trainers.NewBatches(exclusiveOr(), 4, 1)
	if err != nil {
		log.Fatal(err)
	}
	var steps []int
	tr := start(trainers.SGD(0.1), trainers.EveryK(10), trainers.FSDFraction(0.5), trainers.TildeFrom(func(step int) ([]*tensor.Dense, error) {
		steps = append(steps, step)
		return batches.TildeAt(step)
	}))
	train(tr, 30)
	fmt.Println(steps)
	// Output: [0 10 20]
}

// The rate rises for two steps and falls at steps 4 and 6.
func ExampleWithSchedule() {
	var history trainers.History
	tr := start(trainers.SGD(1), trainers.EveryK(0), trainers.Record(&history),
		trainers.WithSchedule(trainers.WarmUp(2, trainers.StepDecay(0.1, 4, 6))))
	train(tr, 8)
	for _, s := range history.Steps {
		fmt.Printf("%.2f ", s.Rates[0])
	}
	// Output: 0.50 1.00 1.00 1.00 0.10 0.10 0.01 0.01
}

// Half of the mini-batch at a time takes half of the memory, and the same steps.
func ExampleAccumulate() {
	loss := func(parts int) float64 {
		tr := start(trainers.SGDm(0.1), trainers.Accumulate(parts))
		train(tr, 20)
		result, err := tr.Evaluate(exclusiveOr(), 4)
		if err != nil {
			log.Fatal(err)
		}
		return result.Loss
	}
	fmt.Println(math.Abs(loss(1)-loss(2)) < 1e-4)
	// Output: true
}

// The target is far away. Without a limit the step would have a length of about 100.
func ExampleClipNorm() {
	for _, limit := range []trainers.Option{trainers.ClipNorm(0.5), trainers.ClipValue(0.25)} {
		tr, w := line(trainers.SGD(1), trainers.EveryK(0), limit)
		before := *w
		if _, err := tr.Step(point(100)); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.2f\n", *w-before)
	}
	// Output:
	// 0.50
	// 0.25
}

// The second loss is beyond the range of float32: that step is left out.
func ExampleSkipNonFinite() {
	tr, _ := line(trainers.SGD(0.1), trainers.EveryK(0), trainers.SkipNonFinite(10))
	for _, target := range []float32{1, 1e30, 1} {
		stats, err := tr.Step(point(target))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("skipped:", stats.StepSkipped)
	}
	fmt.Println(tr.SkippedSteps(), "of", tr.Steps())
	// Output:
	// skipped: false
	// skipped: true
	// skipped: false
	// 1 of 3
}

// While the weight grows its average is smaller. Evaluate and SaveWeights take the average.
func ExampleAveraged() {
	tr, w := line(trainers.SGD(0.1), trainers.EveryK(0), trainers.Averaged(average.Exponential(0.9)))
	for range 20 {
		if _, err := tr.Step(point(100)); err != nil {
			log.Fatal(err)
		}
	}
	last := *w
	if err := tr.Evaluated(func() error {
		fmt.Println(*w < last)
		return nil
	}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(*w == last)
	// Output:
	// true
	// true
}

// With fewer graphs than shapes of mini-batches they are made again and again, which takes
// time and gives the same results.
func ExampleGraphs() {
	data := exclusiveOr()
	rate := func(graphs int) float64 {
		tr := start(trainers.Adam(0.01), trainers.EveryK(2), trainers.Graphs(graphs))
		for step := range 9 {
			part, err := graph.NewBatch(data.X, data.T).First(2 + step%3)
			if err != nil {
				log.Fatal(err)
			}
			if _, err := tr.Step(part); err != nil {
				log.Fatal(err)
			}
		}
		return tr.Rates()[0]
	}
	fmt.Println(rate(1) == rate(8))
	// Output: true
}
