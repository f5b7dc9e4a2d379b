package apoops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// AddPositions adds sinusoids of the positions to the rows of sentences (Vaswani et al.
// 2017, section 3.5):
//
//	y_(n·length+t) = x_(n·length+t) + scale·p_t,
//	p_t,j = sin(t·w_j), p_t,h+j = cos(t·w_j),   w_j = 10000^(-j/(h-1)),  j < h = ⌊d/2⌋
//
// x is (N·length)×d and has the positions t = 0, …, length-1 of each of N sentences. The
// sines stand in the first half of a row and the cosines in the second, as in fairseq and
// tensor2tensor; where d is odd the last column is left as it is.
func AddPositions(x *gorgonia.Node, length int, scale float64) (*gorgonia.Node, error) {
	return applyFloat(&addPositions[float32]{length: length, scale: scale}, &addPositions[float64]{length: length, scale: scale}, x)
}

// addPositions is the kernel of AddPositions.
type addPositions[T Float] struct {
	length int
	scale  float64
	table  []T // scale·p
	a      *args[T]
	body   func(lo, hi int)
}

func (k *addPositions[T]) name() string {
	return fmt.Sprintf("addPositions(%d, %v)", k.length, k.scale)
}
func (k *addPositions[T]) wrt() []bool { return []bool{true} }

func (k *addPositions[T]) clone() kernel[T] {
	return &addPositions[T]{length: k.length, scale: k.scale, table: k.table}
}

func (k *addPositions[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantMatrix(in[0], "x"); err != nil {
		return nil, err
	}
	if k.length < 1 || in[0][0]%k.length != 0 {
		return nil, ErrShape.Errorf("x of shape %v is no whole number of sentences of %d positions", in[0], k.length)
	}
	return in[0].Clone(), nil
}

func (k *addPositions[T]) run(a *args[T]) error {
	cols := a.shapes[0][1]
	if k.body == nil {
		k.body = k.rows
	}
	if k.table == nil {
		k.table = positions[T](k.length, cols, k.scale)
	}
	k.a = a
	par.For(a.shapes[0][0], par.RowGrain(cols), k.body)
	return nil
}

func (k *addPositions[T]) rows(lo, hi int) {
	cols := k.a.shapes[0][1]
	for i := lo; i < hi; i++ {
		x, y := k.a.in[0][i*cols:(i+1)*cols], k.a.out[i*cols:(i+1)*cols]
		for j, p := range k.table[i%k.length*cols:][:cols] {
			y[j] = x[j] + p
		}
	}
}

func (k *addPositions[T]) grad(_ gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{dout}, nil
}

// positions is scale·p, length×d.
func positions[T Float](length, d int, scale float64) []T {
	table := make([]T, length*d)
	half := d / 2
	for j := range half {
		w := math.Pow(10000, -float64(j)/float64(max(half-1, 1)))
		for t := range length {
			sin, cos := math.Sincos(float64(t) * w)
			table[t*d+j], table[t*d+half+j] = T(scale*sin), T(scale*cos)
		}
	}
	return table
}

// Lengths are the numbers of tokens of sentences: how many tokens of each row of the
// array of tensor.Int, N×T, stand before the first padding. The result is a vector of N
// numbers of tensor.Int. A negative padding stands for none.
func Lengths(tokens *gorgonia.Node, padding int) (*gorgonia.Node, error) {
	if err := wantTokens("lengths", tokens); err != nil {
		return nil, err
	}
	return apply[float32](&lengths{padding: padding}, tokens)
}

// lengths is the kernel of Lengths; it has no operand of floats.
type lengths struct {
	noGradient[float32]
	padding int
}

func (k *lengths) name() string           { return fmt.Sprintf("lengths(%d)", k.padding) }
func (k *lengths) clone() kernel[float32] { return &lengths{padding: k.padding} }
func (k *lengths) resultIsInteger()       {}

func (k *lengths) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantMatrix(in[0], "the array of tokens"); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][0]}, nil
}

func (k *lengths) run(a *args[float32]) error {
	width := a.shapes[0][1]
	for i := range a.outInts {
		n := 0
		for n < width && (k.padding < 0 || a.ints[i*width+n] != k.padding) {
			n++
		}
		a.outInts[i] = n
	}
	return nil
}
