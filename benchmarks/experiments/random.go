package experiments

import (
	"math/rand/v2"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// classNumbers are n random numbers from 0 to classes-1.
func classNumbers(rng *rand.Rand, n, classes int) *tensor.Dense {
	t := make([]int, n)
	for i := range t {
		t[i] = rng.IntN(classes)
	}
	return tensor.New(tensor.WithShape(n), tensor.WithBacking(t))
}

// uniform is a tensor of random numbers in [0, 1]. A dtype that is not a float gives
// float32.
func uniform(rng *rand.Rand, dt tensor.Dtype, shape ...int) *tensor.Dense {
	fill, err := apoops.Choose(dt, uniformOf[float32], uniformOf[float64])
	if err != nil {
		fill = uniformOf[float32]
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(fill(rng, tensor.Shape(shape).TotalSize())))
}

func uniformOf[F apoops.Float](rng *rand.Rand, n int) any {
	x := make([]F, n)
	for i := range x {
		x[i] = F(rng.Float64())
	}
	return x
}
