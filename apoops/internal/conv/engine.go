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
// it is Winograd's algorithm where that is the fastest (see winoChannels), oneDNN if
// the library is found, products with patches otherwise. Images in blocks go to oneDNN,
// or are copied to plain ones where it refuses.
func New[T Float](g Geometry, x []int, outputs int) Engine[T] {
	blocked := g.BlockedX || g.BlockedY
	if blas.Pick[T](true, false) {
		if !blocked && byWinograd(g, x, outputs) {
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

func byWinograd(g Geometry, x []int, outputs int) bool {
	return winograds(g) && min(x[1], outputs) >= winoChannels
}

// Blocks reports whether a convolution of float32, or of bfloat16 where bits is set, gains
// from images in blocks of dnn.Block channels: those that oneDNN computes do.
func Blocks(g Geometry, x []int, outputs int, bits bool) bool {
	if bits && bitsActivation(g.Activation) && dnn.BFloat16() == nil {
		return dnn.Blocks() == nil
	}
	return !byWinograd(g, x, outputs) && dnn.Blocks() == nil
}
