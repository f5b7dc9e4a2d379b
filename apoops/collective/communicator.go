package collective

import (
	"unsafe"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/blas"
)

// Communicator joins the members of a training. Its methods are called from one
// goroutine at a time.
type Communicator interface {
	// Rank is that of this member, from 0 to Size-1.
	Rank() int
	// Size is the number of members.
	Size() int
	// Sum32 begins to replace x by its sum over all members, which is the same on all,
	// bit for bit. Its length must be the same everywhere. Sums end in the order in
	// which they began. x must not be read or written before Wait.
	Sum32(x []float32) Pending
	// Sum64 is Sum32 for float64.
	Sum64(x []float64) Pending
	// Broadcast copies data of the member root to all others. Its length must be the same
	// everywhere.
	Broadcast(root int, data []byte) error
	// Barrier returns when all members have called it.
	Barrier() error
	// Abort ends the other members as fast as possible: what they wait for fails, or
	// their processes end. It is for errors that the others do not have.
	Abort(cause error)
}

// Pending is a sum under way.
type Pending interface {
	// Wait returns when the sum is there, or with what went wrong. It is called once.
	Wait() error
}

// ErrAborted is what calls return after another member called Abort.
var ErrAborted = errors.New("collective: another member has failed")

// Float is the type of an element.
type Float = blas.Float

// StartSum begins to sum x over all members of c; see Communicator.
func StartSum[T Float](c Communicator, x []T) Pending {
	if blas.Pick[T](true, false) {
		return c.Sum32(any(x).([]float32))
	}
	return c.Sum64(any(x).([]float64))
}

// Broadcast replaces x by that of the member root, to the bit.
func Broadcast[T Float](c Communicator, root int, x []T) error {
	if len(x) == 0 {
		return nil
	}
	return c.Broadcast(root, unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*int(unsafe.Sizeof(x[0]))))
}

// Sum replaces x by its sum over all members of c.
func Sum[T Float](c Communicator, x []T) error { return StartSum(c, x).Wait() }
