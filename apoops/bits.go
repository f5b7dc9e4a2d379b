package apoops

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/bfloat"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// bitwise is implemented by kernels that compute on the bits of bfloat16, by instructions
// of the processor: their operands are never there in 32 bits. Results are rounded where
// those of run are, but the sums of float32 may be added up in another order.
type bitwise[T Float] interface {
	// takesBits reports whether it can, for operands of these shapes and orders.
	takesBits(a *args[T]) bool
	// runBits computes a.to from a.bits.
	runBits(a *args[T]) error
}

// packing are the slices of packed operands and results that are not in use.
var packing scratch.Pool[uint16]

// runBits runs a bitwise kernel whose operands are numbers of bfloat16. done is false
// where the kernel is none, or an operand is not. Operands in arrays of float32 are packed
// and such a result is expanded, so that it does not depend on how numbers are kept.
func (o *op[T]) runBits() (done bool, err error) {
	r := o.low
	if r.format != BFloat16 || r.keep == KeepSingle {
		return false, nil
	}
	k, ok := any(o.k).(bitwise[T])
	if !ok || !k.takesBits(&o.a) {
		return false, nil
	}
	size := 0
	for i, b := range r.operands {
		if b != nil {
			continue
		}
		x := singles(o.a.in[i])
		if !areBFloat16(x) {
			return false, nil
		}
		size += workSize(len(x))
	}
	if !r.packs() {
		size += len(o.a.out)
	}
	var work []uint16
	if size > 0 {
		work = packing.Get(size)
	}
	rest := work
	for i, b := range r.operands {
		if b == nil {
			r.x = singles(o.a.in[i])
			b, rest = rest[:len(r.x)], rest[min(workSize(len(r.x)), len(rest)):]
			r.b = b
			par.For(len(b), par.Grain, r.pack)
		}
		o.a.bits[i] = b
	}
	if o.a.to = r.bits; !r.packs() {
		o.a.to = rest[:len(o.a.out)]
	}
	err = k.runBits(&o.a)
	if err == nil && !r.packs() {
		r.x, r.b = singles(o.a.out), o.a.to
		par.For(len(r.x), par.Grain, r.expand)
	}
	if work != nil {
		packing.Put(work)
	}
	return true, err
}

// areBFloat16 reports whether all numbers are such of bfloat16.
func areBFloat16(x []float32) bool {
	var rest uint32
	for _, v := range x {
		rest |= math.Float32bits(v)
	}
	return rest&0xffff == 0
}

// rowMajor is the layout of a matrix of that shape without its last rows, bias of them.
func rowMajor(s tensor.Shape, bias int) dnn.Matrix {
	return dnn.Matrix{Rows: s[0] - bias, Cols: s[1], Stride: s[1]}
}

func turned(m dnn.Matrix) dnn.Matrix {
	m.Transposed = true
	return m
}

func (k *dense[T]) takesBits(a *args[T]) bool {
	s := a.shapes
	return k.bits.Compile(rowMajor(s[0], 0), rowMajor(s[1], k.bias))
}

func (k *dense[T]) runBits(a *args[T]) error {
	w := a.bits[1]
	bias := w[len(w)-k.bias*a.shapes[1][1]:]
	if k.biasOperand {
		bias = a.bits[2]
	}
	return k.bits.Run(a.bits[0], w, bias, vmath.Activation(k.act), a.to)
}

func (k *denseTransposed[T]) takesBits(a *args[T]) bool {
	s := a.shapes
	return k.bits.Compile(rowMajor(s[0], 0), turned(rowMajor(s[1], 0)))
}

func (k *denseTransposed[T]) runBits(a *args[T]) error {
	return k.bits.Run(a.bits[0], a.bits[1], nil, vmath.Identity, a.to)
}

func (k *denseGradX[T]) takesBits(a *args[T]) bool {
	s := a.shapes
	return k.bits.Compile(rowMajor(s[1], 0), turned(rowMajor(s[0], k.bias)))
}

func (k *denseGradX[T]) runBits(a *args[T]) error {
	return k.bits.Run(a.bits[1], a.bits[0], nil, vmath.Identity, a.to)
}

func (k *denseGradW[T]) takesBits(a *args[T]) bool {
	s := a.shapes
	return k.bits.Compile(turned(rowMajor(s[0], 0)), rowMajor(s[1], 0))
}

func (k *denseGradW[T]) runBits(a *args[T]) error {
	k.a, k.m = a, a.shapes[1][1]
	if k.bias > 0 {
		if k.biasBits == nil {
			k.biasBits = func(lo, hi int) { bfloat.ColumnSums(k.a.to[len(k.a.to)-k.m:], k.a.bits[1], lo, hi) }
		}
		par.For(k.m, columnGrain, k.biasBits)
	}
	return k.bits.Run(a.bits[0], a.bits[1], nil, vmath.Identity, a.to)
}

// RoundedWeightGradient is WeightGradient, times scale, a power of two, rounded to the
// format and divided by scale, to the bits of what a graph computes that rounds.
func RoundedWeightGradient(f Format, scale float64, dw, x, dz []float32, rows int) {
	n, m := len(x)/rows, len(dz)/rows
	k := &denseGradW[float32]{bias: len(dw)/m - n}
	defer k.bits.Close()
	o := &op[float32]{k: k, ints: make([]bool, 2), low: newRounding(f, KeepRounded, 2)}
	o.a = args[float32]{in: [][]float32{x, dz}, shapes: []tensor.Shape{{rows, n}, {rows, m}}, out: dw, bits: make([][]uint16, 2)}
	if done, err := o.runBits(); done && err == nil {
		return
	}
	WeightGradient(dw, x, dz, rows)
	RoundAll(f, dw, scale)
}

func (k *conv2D[T]) takesBits(a *args[T]) bool {
	s := a.shapes
	return k.bits.Compile(k.Conv.geometryOf(a.inBlocks(0), a.blockResult()), s[0], s[1][1])
}

func (k *conv2D[T]) runBits(a *args[T]) error { return k.bits.Forward(a.bits[0], a.bits[1], a.to) }

func (k *convGradX[T]) takesBits(a *args[T]) bool {
	s := a.shapes
	return k.bits.Compile(k.c.geometryOf(a.blockResult(), a.inBlocks(1)), k.x, s[0][1])
}

func (k *convGradX[T]) runBits(a *args[T]) error {
	dy, y := dzValues(a.bits[1:])
	return k.bits.GradX(dy, y, a.bits[0], a.to)
}

func (k *convGradW[T]) takesBits(a *args[T]) bool {
	s := a.shapes
	return k.bits.Compile(k.c.geometryOf(a.inBlocks(0), a.inBlocks(1)), s[0], s[1][1])
}

func (k *convGradW[T]) runBits(a *args[T]) error {
	dy, y := dzValues(a.bits[1:])
	return k.bits.GradW(a.bits[0], dy, y, a.to)
}
