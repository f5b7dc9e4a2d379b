package apoops

import (
	"unsafe"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Keeping says what becomes of the result of an op on float32.
type Keeping int

const (
	// KeepSingle leaves the result as it is computed.
	KeepSingle Keeping = iota
	// KeepRounded rounds each element to the format.
	KeepRounded
	// KeepPacked rounds, and the result is an array of tensor.Uint16, the bits of the
	// numbers. Ops of this package alone can read it.
	KeepPacked
)

// Rounder is implemented by the ops of this package. A Rounder of float32 computes with
// numbers of 16 bits as processors that have them do: operands are numbers of the format,
// sums within the op are of float32, and the result is rounded once.
type Rounder interface {
	Buffered
	// RoundResult has each run round its result to f, to nearest even, and read
	// operands of tensor.Uint16 as bits of f. Scalars, integers, results that persist
	// and the moments of batch norm stay as they are for any k. It gives up the buffer
	// of the result. Clones do not round. Ops of float64 and unknown formats are errors.
	RoundResult(f Format, k Keeping) error
}

var _ Rounder = (*op[float32])(nil)

// exact is implemented by kernels of side arrays, whose results are never rounded.
type exact interface{ isExact() }

// rounding is the part of an op that has to do with 16 bits.
type rounding struct {
	format   Format
	keep     Keeping
	operands [][]uint16  // of the run, nil for those that are not packed
	whole    [][]float32 // the others
	bits     []uint16    // memory of a packed result
	work     []float32   // the expanded operands and the result of the run
	pieces   []bool      // operands that the kernel reads in pieces
	piece    bool        // it writes the result so
	parts    bool        // it can run part by part

	x                   []float32 // what the loops work on
	b                   []uint16
	expand, pack, round func(lo, hi int)
}

func newRounding(f Format, k Keeping, operands int) *rounding {
	r := &rounding{format: f, keep: k, operands: make([][]uint16, operands), whole: make([][]float32, operands)}
	r.expand = func(lo, hi int) { half.Expand(r.format, r.x[lo:hi], r.b[lo:hi]) }
	r.pack = func(lo, hi int) { half.Pack(r.format, r.b[lo:hi], r.x[lo:hi]) }
	r.round = func(lo, hi int) { half.Round(r.format, r.x[lo:hi]) }
	return r
}

// RoundResult implements Rounder.
func (o *op[T]) RoundResult(f Format, k Keeping) error {
	if !f.Known() {
		return errors.Errorf("apoops: %s: format %d is neither %v nor %v", o.k.name(), int(f), Float16, BFloat16)
	}
	if blas.Pick[T](false, true) {
		return ErrDtype.Errorf("apoops: %s: a result of float64 is not rounded to %v", o.k.name(), f)
	}
	if _, kept := any(o.k).(exact); kept || o.shape.IsScalar() || o.BufferSize() == 0 && !o.low.packs() {
		k = KeepSingle
	} else {
		o.a.out, o.dense = nil, nil
	}
	if c, ok := any(o.k).(*cast16[T]); ok {
		c.copies = k != KeepSingle && c.format == f
	}
	o.low = newRounding(f, k, len(o.ints))
	if p, ok := any(o.k).(piecewise); ok {
		o.low.pieces, o.low.piece = p.pieces()
		o.a.format = f
	}
	_, bits := any(o.k).(bitwise[T])
	if o.a.bits = nil; bits || o.low.pieces != nil {
		o.a.bits = make([][]uint16, len(o.ints))
	}
	_, o.low.parts = any(o.k).(byElement)
	return nil
}

func (r *rounding) packs() bool { return r != nil && r.keep == KeepPacked }

// reads takes an operand of 16 bits. ok is false for all others.
func (r *rounding) reads(i int, v *tensor.Dense) (ok bool) {
	if r == nil || v.Dtype() != tensor.Uint16 {
		return false
	}
	r.operands[i] = v.Uint16s()
	return true
}

// packedResult makes the buffer of a packed result, as op.result does.
func (o *op[T]) packedResult() {
	if o.low.bits == nil {
		o.low.bits = make([]uint16, o.shape.TotalSize())
	}
	if o.dense == nil || !o.dense.Shape().Eq(o.shape) {
		o.dense = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(o.low.bits))
	}
}

// working are the slices of expanded operands and results that are not in use.
var working scratch.Pool[float32]

// workUnit is the number of elements that parts of such a slice begin at multiples of.
const workUnit = 16

func workSize(n int) int { return (n + workUnit - 1) / workUnit * workUnit }

// partSize is the number of elements of a part, where a kernel runs part by part.
const partSize = 1 << 18

// runRounded runs the kernel on operands of which some may be packed, and rounds its
// result.
func (o *op[T]) runRounded() error {
	r := o.low
	done, err := o.runBits()
	if !done && err == nil {
		err = o.runSingles()
	}
	r.x, r.b, r.work, o.a.to = nil, nil, nil, nil
	clear(r.operands)
	clear(r.whole)
	clear(o.a.bits)
	return err
}

// runSingles runs the kernel in float32.
func (o *op[T]) runSingles() (err error) {
	r, out := o.low, o.a.out
	n := max(1, o.shape.TotalSize())
	step := n
	if r.parts {
		step = min(n, partSize)
	}
	for i, x := range o.a.in {
		r.whole[i] = singles(x)
	}
	if size := r.workOf(n, step); size > 0 {
		r.work = working.Get(size)
	}
	for lo := 0; lo < n && err == nil; lo += step {
		o.a.out = out
		o.enter(n, lo, min(lo+step, n))
		if err = o.k.run(&o.a); err == nil {
			o.leave(lo, min(lo+step, n))
		}
	}
	if o.a.out = out; r.packs() {
		o.a.out = nil
	}
	if r.work != nil {
		working.Put(r.work)
	}
	return err
}

// inPieces reports whether the kernel reads a packed operand itself.
func (r *rounding) inPieces(i int) bool { return r.pieces != nil && r.pieces[i] }

// workOf is the number of elements that a part of that size needs of a result of n.
func (r *rounding) workOf(n, step int) (size int) {
	for i, b := range r.operands {
		switch {
		case r.inPieces(i) || r.first(i) < i:
		case len(b) == n:
			size += workSize(step)
		default:
			size += workSize(len(b))
		}
	}
	if r.packs() && !r.piece {
		size += step
	}
	return size
}

// enter expands the elements [lo, hi) of packed operands of n elements, and others as a
// whole, and makes room for those of a packed result.
func (o *op[T]) enter(n, lo, hi int) {
	r := o.low
	rest := r.work
	for i, b := range r.operands {
		switch first := r.first(i); {
		case b == nil:
			if x := r.whole[i]; len(x) == n {
				o.a.in[i] = fromSingles[T](x[lo:hi])
			}
		case r.inPieces(i):
			o.a.bits[i] = b
		case first < i:
			o.a.in[i] = o.a.in[first]
		default:
			if len(b) == n {
				b = b[lo:hi]
			}
			r.x, r.b = rest[:len(b):len(b)], b
			par.For(len(b), par.Grain, r.expand)
			o.a.in[i] = fromSingles[T](r.x)
			rest = rest[min(workSize(len(b)), len(rest)):]
		}
	}
	switch {
	case !r.packs():
		if len(o.a.out) == n {
			o.a.out = o.a.out[lo:hi]
		}
	case r.piece:
		o.a.to = r.bits
	default:
		o.a.out = fromSingles[T](rest[: hi-lo : hi-lo])
	}
}

// first is the number of the first operand that is the same array as operand i.
func (r *rounding) first(i int) int {
	for j, b := range r.operands[:i] {
		if b != nil && unsafe.SliceData(b) == unsafe.SliceData(r.operands[i]) {
			return j
		}
	}
	return i
}

// leave rounds the elements [lo, hi) of the result.
func (o *op[T]) leave(lo, hi int) {
	r := o.low
	switch {
	case r.keep == KeepRounded:
		r.x = singles(o.a.out)
		par.For(len(r.x), par.Grain, r.round)
	case r.packs() && !r.piece:
		r.x, r.b = singles(o.a.out), r.bits[lo:hi]
		par.For(len(r.x), par.Grain, r.pack)
	}
}

// RoundAll rounds each element of x times scale, a power of two, to the format, to nearest
// even, and divides by scale.
func RoundAll(f Format, x []float32, scale float64) {
	s, inverse := float32(scale), float32(1/scale)
	par.For(len(x), par.Grain, func(lo, hi int) {
		part := x[lo:hi]
		for i := range part {
			part[i] *= s
		}
		half.Round(f, part)
		for i := range part {
			part[i] *= inverse
		}
	})
}

// singles is x as what it is in an op that rounds.
func singles[T Float](x []T) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

func fromSingles[T Float](x []float32) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}
