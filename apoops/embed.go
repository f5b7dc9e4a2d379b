package apoops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/par"
)

// Embed looks up rows of a table:
//
//	y_i = scale·table_t(i)
//
// for each of the M tokens t, an array of tensor.Int of any shape. The table is V×d,
// y is M×d with the tokens in row-major order: row n·T+t is position t of sentence n
// where the tokens are N×T. Rows of the padding token are 0 and have no gradient; a
// negative padding stands for none. A token outside [0, V) is an error when the graph is
// run.
//
// The gradient by the table adds up the rows of tokens that occur more than once, in
// their order. It is an array of V×d, which each run clears on all cores before it writes
// the rows of its tokens: whoever reads a gradient may write over it.
func Embed(table, tokens *gorgonia.Node, scale float64, padding int) (*gorgonia.Node, error) {
	if err := wantTokens("embed", tokens); err != nil {
		return nil, err
	}
	if math.IsNaN(scale) || math.IsInf(scale, 0) {
		return nil, ErrNotFinite.Errorf("apoops: embed: scale is %v", scale)
	}
	s := embedding{scale: scale, padding: padding}
	return applyFloat(&embed[float32]{embedding: s}, &embed[float64]{embedding: s}, table, tokens)
}

// wantTokens reports an operand that is no array of integers.
func wantTokens(op string, tokens *gorgonia.Node) error {
	switch {
	case tokens == nil:
		return ErrDtype.Errorf("apoops: %s: the node of tokens is nil", op)
	case tokens.Dtype() != tensor.Int || tokens.IsScalar():
		return ErrDtype.Errorf("apoops: %s: tokens (%s) of dtype %v and shape %v, not an array of %v", op, tokens.Name(), tokens.Dtype(), tokens.Shape(), tensor.Int)
	}
	return nil
}

// checkTokens looks for a token that is neither in [0, classes) nor the padding.
func checkTokens(what string, tokens []int, shape tensor.Shape, classes, padding int) error {
	for i, t := range tokens {
		if (t < 0 || t >= classes) && (t != padding || padding < 0) {
			return ErrTarget.Errorf("%s %d %s is not in [0, %d)", what, t, tokenPlace(i, shape), classes)
		}
	}
	return nil
}

// tokenPlace names the place of element i of an array of tokens.
func tokenPlace(i int, shape tensor.Shape) string {
	if shape.Dims() != 2 {
		return fmt.Sprintf("at %d", i)
	}
	return fmt.Sprintf("of sentence %d at position %d", i/shape[1], i%shape[1])
}

// embedding are the settings of Embed.
type embedding struct {
	scale   float64
	padding int
}

// embed is the kernel of Embed.
type embed[T Float] struct {
	embedding
	a    *args[T]
	cols int
	body func(lo, hi int)
}

func (k *embed[T]) name() string     { return fmt.Sprintf("embed(%v, %d)", k.scale, k.padding) }
func (k *embed[T]) wrt() []bool      { return []bool{true, false} }
func (k *embed[T]) clone() kernel[T] { return &embed[T]{embedding: k.embedding} }

func (k *embed[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if err := wantMatrix(in[0], "the table"); err != nil {
		return nil, err
	}
	if in[1].TotalSize() < 1 {
		return nil, ErrShape.Errorf("there are no tokens: their shape is %v", in[1])
	}
	return tensor.Shape{in[1].TotalSize(), in[0][1]}, nil
}

func (k *embed[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.rows
	}
	k.a, k.cols = a, a.shapes[0][1]
	if err := checkTokens("token", a.ints, a.shapes[1], a.shapes[0][0], k.padding); err != nil {
		return err
	}
	par.For(len(a.ints), par.RowGrain(k.cols), k.body)
	return nil
}

func (k *embed[T]) rows(lo, hi int) {
	scale := T(k.scale)
	for i := lo; i < hi; i++ {
		y, t := k.a.out[i*k.cols:(i+1)*k.cols], k.a.ints[i]
		if t == k.padding {
			clear(y)
			continue
		}
		for j, v := range k.a.in[0][t*k.cols : (t+1)*k.cols] {
			y[j] = scale * v
		}
	}
}

func (k *embed[T]) grad(in gorgonia.Nodes, _, dout *gorgonia.Node) (gorgonia.Nodes, error) {
	d, err := apply(&embedGrad[T]{embedding: k.embedding, table: in[0].Shape().Clone()}, dout, in[1])
	return gorgonia.Nodes{d, nil}, err
}

// TableOf is the table that the node n is rows of, nil where it is none that Embed made.
func TableOf(n *gorgonia.Node) *gorgonia.Node {
	if _, ok := kernelOf(n.Op()).(interface{ looksUp() }); ok {
		return Operands(n)[0]
	}
	return nil
}

func (k *embed[T]) looksUp() {}

// embedColumns is the least number of neighbouring columns that one core adds up.
const embedColumns = 64

// embedGrad is the gradient of Embed by the table; its operands are dy and the tokens.
// A chunk of work is some columns of all rows, so that each element is added up in the
// order of the tokens.
type embedGrad[T Float] struct {
	noGradient[T]
	embedding
	table       tensor.Shape
	a           *args[T]
	clean, body func(lo, hi int)
}

func (k *embedGrad[T]) name() string { return fmt.Sprintf("embedGrad(%v, %d)", k.scale, k.padding) }

func (k *embedGrad[T]) clone() kernel[T] {
	return &embedGrad[T]{embedding: k.embedding, table: k.table}
}

func (k *embedGrad[T]) infer([]tensor.Shape) (tensor.Shape, error) { return k.table.Clone(), nil }

func (k *embedGrad[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body = k.columns
		k.clean = func(lo, hi int) { clear(k.a.out[lo:hi]) }
	}
	k.a = a
	if err := checkTokens("token", a.ints, a.shapes[1], k.table[0], k.padding); err != nil {
		return err
	}
	par.For(len(a.out), par.Grain, k.clean)
	par.For(k.table[1], max(embedColumns, par.RowGrain(len(a.ints))), k.body)
	return nil
}

func (k *embedGrad[T]) columns(lo, hi int) {
	cols, scale := k.table[1], T(k.scale)
	for i, t := range k.a.ints {
		if t == k.padding {
			continue
		}
		sum := k.a.out[t*cols+lo : t*cols+hi]
		for j, v := range k.a.in[0][i*cols+lo : i*cols+hi] {
			sum[j] += scale * v
		}
	}
}
