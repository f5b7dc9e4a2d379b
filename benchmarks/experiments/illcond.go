package experiments

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// illConditionedExamples is the number of inputs, which are drawn from N(0, I).
const illConditionedExamples = 1000

// The sizes of Rahimi & Recht. The batch is the whole set.
var illConditioned6 = map[Scale]Config{
	Smoke: {Widths: []int{6, 6, 10}, Steps: 200, Batch: illConditionedExamples, Dtype: "float64"},
	Small: {Widths: []int{6, 6, 10}, Steps: 8000, Batch: illConditionedExamples, Dtype: "float64"},
	Paper: {Widths: []int{6, 6, 10}, Steps: 20000, Batch: illConditionedExamples, Dtype: "float64"},
}

var illConditioned32 = map[Scale]Config{
	Smoke: {Widths: []int{32, 32, 32}, Steps: 200, Batch: 100, Dtype: "float64"},
	Small: {Widths: []int{32, 32, 32}, Steps: 8000, Batch: 100, Dtype: "float64"},
	Paper: {Widths: []int{32, 32, 32}, Steps: 20000, Batch: 100, Dtype: "float64"},
}

// illConditioned is Figure 4, left, at one size.
func illConditioned(size string, scales map[Scale]Config) *Experiment {
	return &Experiment{
		Name: "fig4-illcond-" + size, Group: "fig4-illcond",
		Figure: "Figure 4, left", Title: "Poorly conditioned regression, " + size + " inputs",
		Data: "t = Ax, κ(A) = 1e10, 1000 inputs x ~ N(0, I)",
		Paper: "a plot without numbers: second-order methods converge faster than SGDm and Adam; " +
			"APO-Precond is comparable to them and ends below KFAC",
		Choices: "A = U·diag(logspace(0, -10))·Vᵀ in float64; the loss is ½‖t-y‖², half the paper's; " +
			"6 inputs with hidden width 6 and 10 outputs are trained on the whole set, 32-32-32 on batches of 100; number of steps",
		Scales:  scales,
		Methods: preconditioners,
		Task: denseTask{
			model: layers.DeepLinear, loss: graph.SquaredError, targets: vectorTargets,
			load: func(_ context.Context, c Config) (train, test trainers.Dataset, err error) {
				return linearTargets(c.Widths[0], c.Widths[len(c.Widths)-1]), nil, nil
			},
		},
	}
}

// linearTargets returns the pairs (x, Ax). They do not depend on the seed of a run,
// which sets the initial weights and the order of the batches only.
func linearTargets(inputs, outputs int) trainers.Data {
	rng := rand.New(rand.NewPCG(1, uint64(inputs)))
	a := illConditionedMatrix(rng, outputs, inputs)
	x := gaussian(rng, illConditionedExamples, inputs)
	var t mat.Dense
	t.Mul(x, a.T())
	return trainers.Data{X: dense(x), T: dense(&t)}
}

// illConditionedMatrix is U·diag(s)·Vᵀ. The singular values s fall from 1 to 1e-10,
// evenly on a logarithmic scale; U and V have random orthonormal columns.
func illConditionedMatrix(rng *rand.Rand, rows, cols int) *mat.Dense {
	n := min(rows, cols)
	u, v := orthonormal(rng, rows, n), orthonormal(rng, cols, n)
	for j := range n {
		s := math.Pow(10, -10*float64(j)/float64(n-1))
		for i := range rows {
			u.Set(i, j, s*u.At(i, j))
		}
	}
	var a mat.Dense
	a.Mul(u, v.T())
	return &a
}

// orthonormal is a random rows×cols matrix with orthonormal columns.
func orthonormal(rng *rand.Rand, rows, cols int) *mat.Dense {
	var qr mat.QR
	qr.Factorize(gaussian(rng, rows, cols))
	var q mat.Dense
	qr.QTo(&q)
	return mat.DenseCopyOf(q.Slice(0, rows, 0, cols))
}

func gaussian(rng *rand.Rand, rows, cols int) *mat.Dense {
	m := mat.NewDense(rows, cols, nil)
	for i := range rows {
		for j := range cols {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	return m
}

func dense(m *mat.Dense) *tensor.Dense {
	rows, cols := m.Dims()
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(mat.DenseCopyOf(m).RawMatrix().Data))
}
