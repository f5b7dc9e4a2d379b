package apoops

import (
	"sync"
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
	operands [][]uint16 // of the run, nil for those that are not packed
	bits     []uint16   // memory of a packed result
	work     []float32  // the expanded operands and the result of the run
	pieces   []bool     // operands that the kernel reads in pieces
	piece    bool       // it writes the result so

	x                   []float32 // what the loops work on
	b                   []uint16
	expand, pack, round func(lo, hi int)
	part                func(lo, hi int) // runs part by part, nil where the kernel cannot
	copies              bool             // the elements are those of the operand
}

func newRounding(f Format, k Keeping, operands int) *rounding {
	r := &rounding{format: f, keep: k, operands: make([][]uint16, operands)}
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
	if k, ok := any(o.k).(byElement[T]); ok {
		o.low.part = func(lo, hi int) { o.runPart(k, lo, hi) }
		c, ok := any(k).(copier)
		o.low.copies = ok && c.copiesElements()
	}
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
	clear(o.a.bits)
	return err
}

// runSingles runs the kernel in float32.
func (o *op[T]) runSingles() (err error) {
	r, out := o.low, o.a.out
	n := max(1, o.shape.TotalSize())
	if r.part != nil {
		par.For(n, par.Grain, r.part)
		return nil
	}
	if size := r.workOf(n); size > 0 {
		r.work = working.Get(size)
	}
	o.enter(n)
	if err = o.k.run(&o.a); err == nil {
		o.leave()
	}
	o.a.out = out
	if r.work != nil {
		working.Put(r.work)
	}
	return err
}

// inPieces reports whether the kernel reads a packed operand itself.
func (r *rounding) inPieces(i int) bool { return r.pieces != nil && r.pieces[i] }

// workOf is the number of elements that operands and a result of n need.
func (r *rounding) workOf(n int) (size int) {
	for i, b := range r.operands {
		if !r.inPieces(i) && r.first(i) == i {
			size += workSize(len(b))
		}
	}
	if r.packs() && !r.piece {
		size += n
	}
	return size
}

// enter expands packed operands, and makes room for a packed result of n elements.
func (o *op[T]) enter(n int) {
	r := o.low
	rest := r.work
	for i, b := range r.operands {
		switch first := r.first(i); {
		case b == nil:
		case r.inPieces(i):
			o.a.bits[i] = b
		case first < i:
			o.a.in[i] = o.a.in[first]
		default:
			r.x, r.b = rest[:len(b):len(b)], b
			par.For(len(b), par.Grain, r.expand)
			o.a.in[i] = fromSingles[T](r.x)
			rest = rest[min(workSize(len(b)), len(rest)):]
		}
	}
	switch {
	case !r.packs():
	case r.piece:
		o.a.to = r.bits
	default:
		o.a.out = fromSingles[T](rest[:n:n])
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

// leave rounds the result.
func (o *op[T]) leave() {
	r := o.low
	switch {
	case r.keep == KeepRounded:
		r.x = singles(o.a.out)
		par.For(len(r.x), par.Grain, r.round)
	case r.packs() && !r.piece:
		r.x, r.b = singles(o.a.out), r.bits
		par.For(len(r.x), par.Grain, r.pack)
	}
}

// partSize is the number of elements of a part, where a kernel runs part by part: those
// of operands and result stay in a core's nearest cache.
const partSize = 2048

// partArgs are the args of parts that are not in use, of float32 as all that is rounded.
var partArgs = sync.Pool{New: func() any { return new(args[float32]) }}

// runPart computes the elements [lo, hi) of the result, part by part, without a whole
// array of what is packed.
func (o *op[T]) runPart(k byElement[T], lo, hi int) {
	r, n := o.low, max(1, o.shape.TotalSize())
	a := partArgs.Get().(*args[float32])
	a.in = sized(a.in, len(r.operands))
	room := scratch.Get[float32]((len(r.operands) + 1) * partSize)
	for ; lo < hi; lo += partSize {
		size := min(partSize, hi-lo)
		for i := range a.in {
			a.in[i] = o.partOf(i, a.in, lo, size, n, room[(i+1)*partSize:])
		}
		if r.packs() && r.copies {
			half.Pack(r.format, r.bits[lo:lo+size], a.in[0])
			continue
		}
		if a.out = room[:size]; !r.packs() {
			a.out = singles(o.a.out)[lo : lo+size]
		}
		k.chunk((*args[T])(unsafe.Pointer(a)), 0, size)
		switch r.keep {
		case KeepPacked:
			half.Pack(r.format, r.bits[lo:lo+size], a.out)
		case KeepRounded:
			half.Round(r.format, a.out)
		}
	}
	scratch.Put(room)
	clear(a.in)
	a.out = nil
	partArgs.Put(a)
}

// partOf are size elements from lo on of operand i of n, or its one element. before are
// those of the operands before it.
func (o *op[T]) partOf(i int, before [][]float32, lo, size, n int, room []float32) []float32 {
	b, x := o.low.operands[i], singles(o.a.in[i])
	switch first := o.low.first(i); {
	case b == nil && len(x) != n:
		return x
	case b == nil:
		return x[lo : lo+size]
	case first < i:
		return before[first]
	case len(b) == n:
		b = b[lo : lo+size]
	}
	half.Expand(o.low.format, room[:len(b)], b)
	return room[:len(b)]
}

// singles is x as what it is in an op that rounds.
func singles[T Float](x []T) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

func fromSingles[T Float](x []float32) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}
