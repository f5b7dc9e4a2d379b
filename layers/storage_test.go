package layers

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph"
)

// TestModelsInLowStorage runs base, evaluation and proximal graphs of nets with each kind
// of layer with arrays of 16 bits and with the same numbers in arrays of float32: all bits
// are equal, and the loss is near that in float32.
func TestModelsInLowStorage(t *testing.T) {
	rng := rand.New(rand.NewPCG(35, 1))
	images := func(shape ...int) []*tensor.Dense { return singles(arrays(rng, 1, shape, shape)) }
	classes := func(t ...int) *tensor.Dense { return tensor.New(tensor.WithShape(len(t)), tensor.WithBacking(t)) }
	small, large := images(5, 2, 5, 5), images(4, 3, 32, 32)
	source, target := intArray([][]int{{3, 2, 4, 0}, {1, 6, 0, 0}, {5, 5, 2, 1}}), intArray([][]int{{1, 2, 3}, {1, 4, 0}, {1, 5, 6}})
	for _, c := range []struct {
		name  string
		model graph.Model
		loss  graph.Loss
		batch graph.Batch
		tilde []*tensor.Dense
	}{
		{"each kind", smoothNet(), graph.SoftmaxCrossEntropy, graph.NewBatch(small[0], classes(0, 2, 1, 1, 0)), small[1:]},
		{"resnet8", ResNet8(10), graph.SoftmaxCrossEntropy, graph.NewBatch(large[0], classes(0, 9, 3, 3)), large[1:]},
		{"lenet", LeNet(10), graph.SoftmaxCrossEntropy, graph.NewBatch(large[0], classes(0, 9, 3, 3)), large[1:]},
		{"transformer", Transformer(TransformerConfig{
			Encoder: 1, Decoder: 1, Width: 6, Heads: 2, FeedForward: 5, Vocabulary: 7, Shared: true, Dropout: 0.2, AttentionDropout: 0.1,
		}), graph.TokenCrossEntropy(graph.TokenSettings{Smoothing: 0.1}), graph.Batch{
			X: []*tensor.Dense{source, target}, T: []*tensor.Dense{intArray([][]int{{2, 3, 1}, {4, 2, 0}, {5, 6, 2}})},
		}, []*tensor.Dense{source, target}},
	} {
		for _, f := range []apoops.Format{apoops.Float16, apoops.BFloat16} {
			t.Run(fmt.Sprintf("%s in %v", c.name, f), func(t *testing.T) {
				run := func(s graph.Storage) []float64 {
					return everything(t, graph.Objective{Model: c.model, Loss: c.loss, Storage: s}, c.batch, c.tilde)
				}
				packed, emulated := run(graph.Storage{Format: f, Low: true}), run(graph.Storage{Format: f, Low: true, Emulated: true})
				for i, v := range packed {
					if math.Float64bits(v) != math.Float64bits(emulated[i]) {
						t.Fatalf("result %d is %v, with arrays of float32 %v", i, v, emulated[i])
					}
				}
				if loss := run(graph.Storage{})[0]; packed[0] == loss || math.Abs(packed[0]-loss) > 0.05*math.Abs(loss) {
					t.Errorf("loss %v, in float32 %v", packed[0], loss)
				}
			})
		}
	}
}

// everything are loss, gradient, evaluation, Q and its gradient of a model.
func everything(t *testing.T, src graph.Objective, batch graph.Batch, tilde []*tensor.Dense) (all []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(36, 1))
	params, err := src.Model.Init(5, tensor.Float32)
	succeed(t, err)
	base, err := graph.NewBase(src, params, batch, apoops.NewRandom(2))
	succeed(t, err, base.Feed(batch), base.Run(), base.MoveStatistics())
	g, err := base.Grads()
	succeed(t, err)
	add := func(arrays ...*tensor.Dense) {
		for _, a := range arrays {
			for _, v := range a.Float32s() {
				all = append(all, float64(v))
			}
		}
	}
	all = append(all, base.LossValue())
	add(g...)
	for _, p := range params {
		add(p.Value)
	}
	e, err := graph.NewEvaluation(src, params, batch)
	succeed(t, err, e.Feed(batch), e.Run())
	y, _ := e.Output()
	add(y)
	blocks := graph.BlockPerParam(params)
	var phi, inputs []*tensor.Dense
	for i := range blocks {
		blocks[i].Form = graph.Diagonal
		phi = append(phi, singles(arrays(rng, 0.1, blocks[i].Factors()[0].Shape))...)
		inputs = append(inputs, singles(arrays(rng, 0.5, tensor.Shape{blocks[i].Rows, blocks[i].Cols}))...)
	}
	p, err := graph.NewProximal(graph.ProximalConfig{
		Source: src, Params: params, Lookahead: graph.PrecondLookahead{Blocks: blocks}, Batch: batch, Tilde: tilde, Random: apoops.NewRandom(2),
	})
	succeed(t, err, p.Feed(batch, tilde), p.FeedWeights(0.7, 0.3), p.FeedStep(phi, inputs, 1), p.Run(), p.Gradient(phi))
	terms := p.Terms()
	all = append(all, terms.Loss, terms.FSD, terms.WSD)
	add(phi...)
	return all
}

// singles are arrays in float32.
func singles(arrays []*tensor.Dense) []*tensor.Dense {
	for i, a := range arrays {
		v := make([]float32, a.DataSize())
		for j, x := range a.Float64s() {
			v[j] = float32(x)
		}
		arrays[i] = tensor.New(tensor.WithShape(a.Shape()...), tensor.WithBacking(v))
	}
	return arrays
}
