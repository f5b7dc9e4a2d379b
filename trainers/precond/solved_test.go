package precond_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// TestSolvedProblemsStaySolved: a deep linear net is trained on all rows of a poorly
// conditioned regression, far beyond what noise would let it reach. The damping falls to a
// thousandth and less, and where it changes P must not leave what it has learned.
func TestSolvedProblemsStaySolved(t *testing.T) {
	const rows, inputs, outputs, steps = 1000, 6, 10, 400
	rng := rand.New(rand.NewPCG(1, 6))
	a, q := mat.NewDense(outputs, inputs, nil), make([]*mat.Dense, 2)
	for i, n := range []int{outputs, inputs} {
		var qr mat.QR
		qr.Factorize(gaussian(rng, n, inputs))
		q[i] = new(mat.Dense)
		qr.QTo(q[i])
	}
	values := mat.NewDense(inputs, inputs, nil)
	for i := range inputs {
		values.Set(i, i, math.Pow(10, -2*float64(i)))
	}
	a.Product(q[0].Slice(0, outputs, 0, inputs), values, q[1].T())
	x := gaussian(rng, rows, inputs)
	var y mat.Dense
	y.Mul(x, a.T())
	batch := graph.NewBatch(dense(x), dense(&y))
	for seed := range uint64(4) {
		tr, err := trainers.New(layers.DeepLinear(inputs, inputs, outputs), graph.SquaredError, trainers.Precond(0), trainers.EveryK(20), trainers.Dtype(tensor.Float64), trainers.Seed(seed))
		if err != nil {
			t.Fatal(err)
		}
		least := math.Inf(1)
		for step := range steps {
			s, err := tr.Step(batch)
			if err != nil {
				t.Fatal(err)
			}
			if least = min(least, s.Loss); !(s.Loss <= 100*least) {
				t.Errorf("seed %d: the loss was %.3g, and is %.3g after %d steps", seed, least, s.Loss, step)
				break
			}
		}
	}
}
