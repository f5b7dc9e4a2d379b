package trainers

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers/precond"
)

// normTask is a net of convolutions with batch norm, on batches of changing lengths, some of
// fewer images than members. It has no bias in front of a batch norm and few inputs behind the
// last: gradients and eigenvalues that are rounding alone would differ in all their digits.
func normTask(channels int) parallelTask {
	conv := func(inputs int) layers.Layer {
		c := layers.Conv(inputs, channels, 3, apoops.Identity)
		c.NoBias = true
		return c
	}
	return parallelTask{
		model: layers.Sequential(conv(1), layers.BatchNorm(channels, apoops.ReLUAct), conv(channels), layers.BatchNorm(channels, apoops.TanhAct),
			layers.GlobalAvgPool(), layers.Dense(channels, 3, apoops.Identity)),
		loss: graph.SoftmaxCrossEntropy, batch: func(step int) graph.Batch { return noiseImages(step%7, []int{8, 8, 7, 3}[step%4]) },
		steps: 50, with: []ParallelSetting{JointBatchNorm()},
	}
}

// TestParallelJointBatchNorm compares runs with batch norm over the whole batch, running
// statistics included, with those of one process.
func TestParallelJointBatchNorm(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func() Optimizer{
		"sgdm": func() Optimizer { return SGDm(0.02) }, "adam": func() Optimizer { return Adam(0.003) }, "kfac": func() Optimizer { return KFAC(0.005) },
		"ekfac": func() Optimizer {
			o := EKFAC(0.002)
			o.Empirical = true
			return o
		},
		"precond": func() Optimizer { return Precond(0.01) }, "precond plain": func() Optimizer { return PrecondPlain(0.01) },
		"precond above": func() Optimizer { return precond.Relative(0.1) },
	} {
		t.Run(name, func(t *testing.T) { normTask(3).compare(t, o) })
	}
}

// TestParallelLocalBatchNorm has batch norm go by a member's part where nothing else is said.
func TestParallelLocalBatchNorm(t *testing.T) {
	p := normTask(3)
	p.steps = 3
	p.batch = func(step int) graph.Batch { return noiseImages(step, 8) }
	want := p.run(t, SGDm(0.02))
	var got [2][]float64
	together(2, func(c Communicator) { got[c.Rank()] = p.run(t, SGDm(0.02), Parallel(c)) })
	if d := distance(got[0], want); d < 1e-6 {
		t.Errorf("local statistics are off by %.1e only", d)
	}
	if !slices.Equal(got[0], got[1]) {
		t.Error("the members have other bits")
	}
	if _, err := New(p.model, p.loss, SGD(0.1), Parallel(collective.Single{}, nil)); err == nil {
		t.Error("a setting that is nil is no error")
	}
}

// TestParallelJointBatchNormIn16Bits compares losses of images in blocks of channels, in
// float32 and in 16 bits.
func TestParallelJointBatchNormIn16Bits(t *testing.T) {
	p := normTask(16)
	for name, c := range map[string]struct {
		opts      []Option
		tolerance float64
	}{
		"float32": {nil, 1e-4}, "bfloat16": {[]Option{Precision(apoops.BFloat16)}, 0.03}, "float16": {[]Option{Precision(apoops.Float16)}, 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(comm Communicator) (losses, weights []float64) {
				tr, err := New(p.model, p.loss, SGDm(0.02), append([]Option{EveryK(2), Parallel(comm, JointBatchNorm())}, c.opts...)...)
				return lossesAndWeights(t, comm, tr, err, 8, func(i int) graph.Batch {
					b := noiseImages(i, 8)
					x := make([]float32, len(b.X[0].Float64s()))
					for j, v := range b.X[0].Float64s() {
						x[j] = float32(v)
					}
					return graph.NewBatch(tensor.New(tensor.WithShape(b.X[0].Shape()...), tensor.WithBacking(x)), b.T[0])
				})
			}
			want, _ := run(collective.Single{})
			var got [2][]float64
			together(2, func(m Communicator) {
				losses, weights := run(m)
				got[m.Rank()] = weights
				for i := range losses {
					if math.Abs(losses[i]-want[i]) > c.tolerance*want[i] {
						t.Errorf("the loss of step %d is %v, %v by one process", i, losses[i], want[i])
					}
				}
			})
			if !slices.Equal(got[0], got[1]) {
				t.Error("the members have other bits")
			}
		})
	}
}
