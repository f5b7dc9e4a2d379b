package dropin

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/trainers"
)

// ganNet has a tanh layer and a linear layer.
func ganNet(x *gorgonia.Node, w gorgonia.Nodes) *gorgonia.Node {
	return affine(must(gorgonia.Tanh(affine(x, w[0], w[1]))), w[2], w[3])
}

// ganWeights makes the weights of a ganNet from 2 numbers to outputs.
func ganWeights(rng source, g *gorgonia.ExprGraph, name string, outputs int) gorgonia.Nodes {
	return gorgonia.Nodes{
		rng.weights(g, name+"/w0", 1, 2, 16), rng.weights(g, name+"/b0", 0, 1, 16),
		rng.weights(g, name+"/w1", 0.3, 16, outputs), rng.weights(g, name+"/b1", 0, 1, outputs),
	}
}

// softplus is the mean of log(1 + e^x): the loss of a logit x that should be low.
func softplus(x *gorgonia.Node) *gorgonia.Node {
	return must(gorgonia.Mean(must(gorgonia.Softplus(x))))
}

// TestGAN trains a generator of points around (1, -1) against a discriminator. Each
// has its own graph, machine and solver.
func TestGAN(t *testing.T) {
	const batch, steps = 32, 400
	rng := newSource(61)
	dg, gg := gorgonia.NewGraph(), gorgonia.NewGraph()

	// The discriminator tells points of the data from generated ones.
	real, fake := input(dg, "real", batch, 2), input(dg, "fake", batch, 2)
	dWeights := ganWeights(rng, dg, "discriminator", 1)
	onReal, onFake := ganNet(real, dWeights), ganNet(fake, dWeights)
	dCost := must(gorgonia.Add(softplus(must(gorgonia.Neg(onReal))), softplus(onFake)))
	_, err := gorgonia.Grad(dCost, dWeights...)
	check(t, err)

	// The generator learns points that the discriminator takes for data. In its graph
	// the discriminator's weights are leaves that share their memory.
	z := input(gg, "z", batch, 2)
	gWeights := ganWeights(rng, gg, "generator", 2)
	points := ganNet(z, gWeights)
	var frozen gorgonia.Nodes
	for _, w := range dWeights {
		frozen = append(frozen, gorgonia.NewTensor(gg, tensor.Float64, w.Dims(), gorgonia.WithName(w.Name()), gorgonia.WithValue(w.Value())))
	}
	gCost := softplus(must(gorgonia.Neg(ganNet(points, frozen))))
	var made gorgonia.Value
	gorgonia.Read(points, &made)
	_, err = gorgonia.Grad(gCost, gWeights...)
	check(t, err)

	dSolver, gSolver, err := guideGAN(dCost, onReal, onFake, real, fake, dWeights, gCost, points, z, frozen, gWeights)
	check(t, err)
	dVM, gVM := gorgonia.NewTapeMachine(dg, gorgonia.BindDualValues(dWeights...)), gorgonia.NewTapeMachine(gg, gorgonia.BindDualValues(gWeights...))
	defer dVM.Close()
	defer gVM.Close()
	var mean [2]float64
	for step := range steps {
		check(t, gorgonia.Let(z, rng.array(1, batch, 2)))
		check(t, gVM.RunAll())
		check(t, gSolver.Step(gorgonia.NodesToValueGrads(gWeights)))
		generated := made.(*tensor.Dense).Clone().(*tensor.Dense)
		gVM.Reset()

		data := rng.array(0.2, batch, 2)
		for i := range batch {
			data.Float64s()[2*i]++
			data.Float64s()[2*i+1]--
			if step >= steps-50 {
				mean[0] += generated.Float64s()[2*i] / (50 * batch)
				mean[1] += generated.Float64s()[2*i+1] / (50 * batch)
			}
		}
		check(t, gorgonia.Let(real, data))
		check(t, gorgonia.Let(fake, generated))
		check(t, dVM.RunAll())
		check(t, dSolver.Step(gorgonia.NodesToValueGrads(dWeights)))
		dVM.Reset()
	}
	t.Logf("mean of the generated points %.2f, rates %.2g and %.2g", mean, dSolver.Rates(), gSolver.Rates())
	if math.Hypot(mean[0]-1, mean[1]+1) > 0.4 {
		t.Errorf("the generated points have the mean %v, not about (1, -1)", mean)
	}
}

func guideGAN(dCost, onReal, onFake, real, fake *gorgonia.Node, dWeights gorgonia.Nodes, gCost, points, z *gorgonia.Node, frozen, gWeights gorgonia.Nodes) (dSolver, gSolver *trainers.Solver, err error) {
	dSolver, err = trainers.Wrap(
		graph.Problem{Cost: dCost, Output: gorgonia.Must(gorgonia.Concat(0, onReal, onFake)), Inputs: gorgonia.Nodes{real, fake}, Params: dWeights},
		trainers.Adam(0.01), trainers.FSD(10, graph.BernoulliKL), trainers.SameBatch())
	if err != nil {
		return nil, nil, err
	}
	gSolver, err = trainers.Wrap(
		graph.Problem{Cost: gCost, Output: points, Inputs: gorgonia.Nodes{z}, Fixed: frozen, Params: gWeights},
		trainers.Adam(0.01), trainers.FSD(10, graph.HalfSquared), trainers.SameBatch())
	if err != nil {
		return nil, nil, err
	}
	return dSolver, gSolver, nil
}
