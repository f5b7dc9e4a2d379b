package graph

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// TestOutputCurvature: the mean of ‖q‖² is the trace of the divergence's Hessian in the
// outputs, averaged over the examples.
func TestOutputCurvature(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	model := mlp{widths: []int{2, 3}}
	params, _ := model.Init(1, tensor.Float64)
	const n, classes = 4, 3
	x := random(rng, 1, n, 2)
	y := make([]float64, n*classes)
	w := params[0].Value.Float64s()
	for i := range n {
		for j := range classes {
			y[i*classes+j] = x.Float64s()[2*i]*w[j] + x.Float64s()[2*i+1]*w[classes+j] + w[2*classes+j]
		}
	}
	var bernoulli, softmax float64
	for i := range n {
		sum, squares := 0.0, 0.0
		for _, v := range y[i*classes : (i+1)*classes] {
			p := 1 / (1 + math.Exp(-v))
			bernoulli += p * (1 - p) / n
			sum += math.Exp(v)
			squares += math.Exp(2 * v)
		}
		softmax += (1 - squares/(sum*sum)) / n
	}
	for _, c := range []struct {
		d    Divergence
		want float64
	}{{HalfSquared, classes}, {BernoulliKL, bernoulli}, {CategoricalKL, softmax}, {Divergence{Name: "drawn", Build: CategoricalKL.Build}, 1}} {
		noise := apoops.NewRandom(1)
		k, err := NewProbe(ProbeConfig{Source: Objective{Model: model, Loss: SoftmaxCrossEntropy, Divergence: c.d}, Params: params,
			Blocks: BlockPerParam(params), Batch: Batch{X: []*tensor.Dense{x}}, Noise: noise})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Feed(Batch{X: []*tensor.Dense{x}}); err != nil {
			t.Fatal(err)
		}
		const draws = 3000
		mean := 0.0
		for step := range draws {
			noise.SetStep(int64(step))
			if err := k.Run(); err != nil {
				t.Fatal(err)
			}
			mean += k.OutputCurvature() / draws
		}
		if math.Abs(mean-c.want) > 0.01*c.want {
			t.Errorf("%s: %v, the trace is %v", c.d.Name, mean, c.want)
		}
	}
}
