package layers

import (
	"math"
	"math/rand/v2"

	"gorgonia.org/tensor"
)

// Initializer fills w with the initial values of a parameter of the given shape, row
// by row. w is zero before.
type Initializer func(rng *rand.Rand, w []float64, shape tensor.Shape)

// Zeros sets all elements to 0.
func Zeros() Initializer { return func(*rand.Rand, []float64, tensor.Shape) {} }

// Constant sets all elements to v.
func Constant(v float64) Initializer {
	return func(_ *rand.Rand, w []float64, _ tensor.Shape) {
		for i := range w {
			w[i] = v
		}
	}
}

// Normal draws from N(0, σ²).
func Normal(sigma float64) Initializer {
	return func(rng *rand.Rand, w []float64, _ tensor.Shape) {
		for i := range w {
			w[i] = sigma * rng.NormFloat64()
		}
	}
}

// Biased initialises a matrix whose last row is the bias: the other rows by init, the
// bias to 0.
func Biased(init Initializer) Initializer {
	return func(rng *rand.Rand, w []float64, shape tensor.Shape) {
		rows, cols := shape[0]-1, shape[1]
		init(rng, w[:rows*cols], tensor.Shape{rows, cols})
	}
}

// Glorot draws an inputs×outputs matrix from U(-a, a), a = √(6/(inputs+outputs))
// (Glorot & Bengio 2010).
func Glorot() Initializer {
	return func(rng *rand.Rand, w []float64, shape tensor.Shape) {
		uniform(rng, w, math.Sqrt(6/float64(shape[0]+shape[1])))
	}
}

// scaled multiplies what init draws by gain.
func scaled(gain float64, init Initializer) Initializer {
	return func(rng *rand.Rand, w []float64, shape tensor.Shape) {
		init(rng, w, shape)
		for i := range w {
			w[i] *= gain
		}
	}
}

// He draws an inputs×outputs matrix from N(0, 2/inputs) (He et al. 2015).
func He() Initializer {
	return func(rng *rand.Rand, w []float64, shape tensor.Shape) {
		Normal(math.Sqrt(2/float64(shape[0])))(rng, w, shape)
	}
}

// LeCun draws an inputs×outputs matrix from U(-1/√inputs, 1/√inputs), the
// default of PyTorch's linear layers.
func LeCun() Initializer {
	return func(rng *rand.Rand, w []float64, shape tensor.Shape) {
		uniform(rng, w, 1/math.Sqrt(float64(shape[0])))
	}
}

// Sparse draws min(k, inputs) incoming weights of each output from N(0, 1) and sets
// the others to 0 (Martens 2010, with k = 15). Deep nets of sigmoids train from it that
// make no progress from Glorot's.
func Sparse(k int) Initializer {
	return func(rng *rand.Rand, w []float64, shape tensor.Shape) {
		inputs, outputs := shape[0], shape[1]
		for j := range outputs {
			for _, i := range rng.Perm(inputs)[:min(max(k, 0), inputs)] {
				w[i*outputs+j] = rng.NormFloat64()
			}
		}
	}
}

func uniform(rng *rand.Rand, w []float64, a float64) {
	for i := range w {
		w[i] = a * (2*rng.Float64() - 1)
	}
}
