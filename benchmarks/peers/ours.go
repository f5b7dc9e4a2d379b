package peers

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/graph"
	"github.com/apo-gorgonia/apo/layers"
	"github.com/apo-gorgonia/apo/trainers"
)

// measureOurs times whole steps of this library in this process.
func measureOurs(s settings) (measurement, error) {
	name, err := blas.Use()
	if err != nil {
		return measurement{}, err
	}
	tr, err := trainers.New(layers.MLP(784, 1000, 1000, 10), graph.SoftmaxCrossEntropy, trainers.SGDm(0.01), trainers.EveryK(0))
	if err != nil {
		return measurement{}, err
	}
	batch := randomBatch(s.batch)
	times := make([]float64, 0, s.steps)
	for i := range s.warmup + s.steps {
		began := time.Now()
		if _, err := tr.Step(batch); err != nil {
			return measurement{}, errors.Wrapf(err, "step %d", i)
		}
		if i >= s.warmup {
			times = append(times, float64(time.Since(began).Nanoseconds())/1e6)
		}
	}
	return measurement{
		Median:  median(times),
		Min:     least(times),
		Version: fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH),
		BLAS:    name,
		Threads: runtime.GOMAXPROCS(0),
	}, nil
}

// randomBatch has n vectors of 784 numbers in [0, 1) and classes below 10.
func randomBatch(n int) graph.Batch {
	rng := rand.New(rand.NewPCG(1, 1))
	x, t := make([]float32, n*784), make([]int, n)
	for i := range x {
		x[i] = rng.Float32()
	}
	for i := range t {
		t[i] = rng.IntN(10)
	}
	return graph.NewBatch(
		tensor.New(tensor.WithShape(n, 784), tensor.WithBacking(x)),
		tensor.New(tensor.WithShape(n), tensor.WithBacking(t)))
}
