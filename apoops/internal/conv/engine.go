package conv

import (
	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/dnn"
)

// Float is the set of element types.
type Float = blas.Float

// Engine computes one convolution or one of its gradients, always for the same
// shapes. W and dW have the bias row unless Geometry.NoBias is set.
type Engine[T Float] interface {
	// Forward sets y = act(conv(x, W)).
	Forward(x, w, y []T) error
	// GradX sets dx. It takes the derivative of the activation from y, the result
	// of Forward; for the identity y may be nil.
	GradX(dy, y, w, dx []T) error
	// GradW sets dW; y is as in GradX.
	GradW(x, dy, y, dw []T) error
}

// New chooses how a convolution of images of shape x, N×C×H×W, to the given number of
// channels is computed. In float64 it is always by products with patches. In float32
// it is Winograd's algorithm where that is the fastest (winoBlocks, winograd), oneDNN if
// the library is found, products with patches otherwise. Images in blocks go to oneDNN,
// or are copied to plain ones where it refuses.
func New[T Float](g Geometry, x []int, outputs int) Engine[T] {
	blocked := g.BlockedX || g.BlockedY
	if blas.Pick[T](true, false) {
		switch {
		case byVectors(g, x, outputs):
			return any(newWinoBlocks(g, x, outputs)).(Engine[T])
		case blocked:
		case byPositions(g, x, outputs):
			return newPositions[T](g, x, outputs)
		case byWinograd(g, x, outputs):
			return newWinograd[T](g, x, outputs)
		}
		if e, ok := newOneDNN(g, x, outputs).(Engine[T]); ok {
			return e
		}
	}
	if blocked {
		return newUnblocked[T](g, x, outputs)
	}
	return newIm2col[T](g, x, outputs)
}

// positionsChannels is the number of channels, the smaller of x's and y's, from which
// products of positions are used where at least 3/8 of all patches lie outside of the
// image. By BenchmarkEngines on one core of a Zen 4 processor, forward and both gradients
// of 128 images take, in ms, 12 for 192 channels of 2×2 to 384 where oneDNN takes 37 and
// Winograd's algorithm 69, 76 for 512 of 2×2 (205, 298), 48 for 256 of 3×3 (57, 72), .81
// for 64 of 2×2 (1.0) and 30 for 5×5 kernels on 64 of 4×4 to 192 (42), but 212 for 3×3
// kernels, 31% outside, on 256 of 4×4 to 512 (220, 132).
const positionsChannels = 64

// byPositions reports whether products of positions are used.
func byPositions(g Geometry, x []int, outputs int) bool {
	if min(x[1], outputs) < positionsChannels {
		return false
	}
	p := newPatches(g, x)
	return 8*p.countPairs() <= 5*p.kernel()*p.Positions
}

// byVectors reports whether winoBlocks is used.
func byVectors(g Geometry, x []int, outputs int) bool {
	return winoBlocked(g, x, outputs) && !byPositions(g, x, outputs)
}

// byWinograd reports whether Winograd's algorithm for plain images is, where winoBlocks is not.
func byWinograd(g Geometry, x []int, outputs int) bool {
	return winograds(g) && min(x[1], outputs) >= winoChannels
}

// Blocks reports whether a convolution of float32, or of bfloat16 where bits is set, gains
// from images in blocks of dnn.Block channels: those that oneDNN computes do.
func Blocks(g Geometry, x []int, outputs int, bits bool) bool {
	if bits && bitsActivation(g.Activation) && dnn.BFloat16() == nil {
		return dnn.Blocks() == nil
	}
	if !byVectors(g, x, outputs) && (byPositions(g, x, outputs) || byWinograd(g, x, outputs)) {
		return false
	}
	return dnn.Blocks() == nil
}
