package apoops

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// streamed is implemented by kernels that draw random masks.
type streamed[T Float] interface {
	withStream(f func(uint64) uint64) kernel[T]
}

// kernel is what differs from op to op.
type kernel[T Float] interface {
	// name identifies the kind of op and its settings.
	name() string
	// infer returns the shape of the result (tensor.ScalarShape() for a scalar)
	// or says which operand does not fit.
	infer(in []tensor.Shape) (tensor.Shape, error)
	// run computes the result into a.out.
	run(a *args[T]) error
	// wrt says which operands have a gradient; those beyond its end have none.
	wrt() []bool
	// grad returns the gradient node of each operand, nil where wrt is false.
	grad(in gorgonia.Nodes, out, dout *gorgonia.Node) (gorgonia.Nodes, error)
	// clone copies the settings, not the buffers.
	clone() kernel[T]
}

// args are the operands of one execution as flat row-major slices. A scalar is
// a slice of length one; an operand of integers has its numbers in ints.
type args[T Float] struct {
	in      [][]T
	ints    []int
	shapes  []tensor.Shape
	out     []T
	outInts []int  // the result of an integerResult kernel
	blocked []bool // the operands and the result in blocks of channels, nil for none

	format Format
	bits   [][]uint16 // packed operands that the kernel reads in pieces
	to     []uint16   // the memory of a packed result that it writes in pieces
}

// piecewise is implemented by kernels that read large operands, and write their result,
// by args.piece, args.place and args.put: those of 16 bits are never there in 32 bits as
// a whole. pieces says which operands, and whether the result.
type piecewise interface {
	pieces() (operands []bool, result bool)
}

// byElement is implemented by kernels whose elements depend on the same elements of
// operands alone, and on operands of one element: they can run part by part. They look at
// no shapes.
type byElement[T Float] interface {
	kernel[T]
	// chunk computes the elements [lo, hi) of a.out. Calls run side by side.
	chunk(a *args[T], lo, hi int)
}

// copier is implemented by kernels by element that may do nothing but copy their operand.
type copier interface{ copiesElements() bool }

// loop runs a kernel by element on all cores.
type loop[T Float] struct {
	k    byElement[T]
	a    *args[T]
	body func(lo, hi int)
}

func (l *loop[T]) run(k byElement[T], a *args[T]) error {
	if l.body == nil {
		l.body = func(lo, hi int) { l.k.chunk(l.a, lo, hi) }
	}
	l.k, l.a = k, a
	par.For(len(a.out), par.Grain, l.body)
	return nil
}

// room is memory for pieces of n elements in all, nil where nothing is packed. leave gives
// it back.
func (a *args[T]) room(n int) []T {
	if a.bits == nil {
		return nil
	}
	return scratch.Get[T](n)
}

func (a *args[T]) leave(room []T) {
	if room != nil {
		scratch.Put(room)
	}
}

// areBits reports whether the operands are packed numbers of bfloat16.
func (a *args[T]) areBits(operands ...int) bool {
	for _, i := range operands {
		if a.bits == nil || a.bits[i] == nil || a.format != BFloat16 {
			return false
		}
	}
	return true
}

// piece are the elements [lo, hi) of operand i, in buf where it is packed.
func (a *args[T]) piece(i, lo, hi int, buf []T) []T {
	if a.bits == nil || a.bits[i] == nil {
		return a.in[i][lo:hi]
	}
	buf = buf[: hi-lo : hi-lo]
	half.Expand(a.format, singles(buf), a.bits[i][lo:hi])
	return buf
}

// place is where to write the elements [lo, hi) of the result: buf where that is packed.
func (a *args[T]) place(lo, hi int, buf []T) []T {
	if a.to == nil {
		return a.out[lo:hi]
	}
	return buf[: hi-lo : hi-lo]
}

// put completes the elements from lo on that were written to place.
func (a *args[T]) put(lo int, y []T) {
	if a.to != nil {
		half.Pack(a.format, a.to[lo:lo+len(y)], singles(y))
	}
}

// integerResult is implemented by kernels whose result is an array of tensor.Int.
type integerResult interface{ resultIsInteger() }

// persistent is implemented by kernels whose result stays from run to run.
type persistent interface{ persists() }

// noGradient is embedded by kernels that are gradients: they are not differentiated
// again.
type noGradient[T Float] struct{}

func (noGradient[T]) wrt() []bool { return nil }

func (noGradient[T]) grad(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, errNoSecondDerivative
}

// sided is a kernel that computes small arrays besides its result.
type sided[T Float] interface{ side(i int) []T }

// sideResult is the kernel that copies what its operand's kernel, from, computed
// besides its result: a node has one value.
type sideResult[T Float] struct {
	noGradient[T]
	of    string // its name
	from  sided[T]
	i     int
	shape tensor.Shape
}

func (k *sideResult[T]) name() string { return k.of }

func (k *sideResult[T]) clone() kernel[T] {
	return &sideResult[T]{of: k.of, from: k.from, i: k.i, shape: k.shape}
}

// blocks implements blockable: it does not read its operand.
func (k *sideResult[T]) blocks([]tensor.Shape, bool) ([]int, bool) { return []int{1, 0}, false }

// pieces implements piecewise: an operand that is not read needs no expanding.
func (k *sideResult[T]) pieces() ([]bool, bool) { return []bool{true}, false }

func (k *sideResult[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	return slices.Clone(k.shape), nil
}

func (k *sideResult[T]) run(a *args[T]) error {
	copy(a.out, k.from.side(k.i))
	return nil
}
