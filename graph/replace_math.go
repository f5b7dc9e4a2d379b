package graph

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// wrongFunctions are Gorgonia's functions by element whose gradients are wrong, by
// the name of their op.
var wrongFunctions = map[string]struct {
	name, instead string
	apply         func(*gorgonia.Node) (*gorgonia.Node, error)
}{
	"log2":    {"Log2", "apoops.Log2 is right in both.", apoops.Log2},
	"invSqrt": {"InverseSqrt", "apoops.InverseSqrt is right in both.", apoops.InverseSqrt},
}

// replaceUnary replaces functions by element whose gradients are wrong, and the
// logarithm at the end of LogSumExp.
func replaceUnary(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	if x := logSumExp(n); x != nil {
		p.note("%s: Gorgonia's LogSumExp is log(Σ exp(x-m) + m), m the largest x, in your own machine. The rebuilt passes compute log Σ exp(x-m), plus m. Take Log(Sum(Exp(x))), with the largest x subtracted before and added behind.", describeUse(n))
		terms := children(operands[0])
		if len(terms) != 2 {
			return nil, errors.Errorf("the sum within LogSumExp has %d operands", len(terms))
		}
		log, err := gorgonia.ApplyOp(n.Op(), terms[0])
		if err != nil {
			return nil, err
		}
		return gorgonia.Add(log, terms[1])
	}
	f, ok := wrongFunctions[fmt.Sprint(n.Op())]
	if !ok {
		return nil, nil
	}
	p.note("%s: the gradient of Gorgonia's %s is wrong in your own machine. The rebuilt passes compute the right one. %s", describeUse(n), f.name, f.instead)
	return f.apply(operands[0])
}

// logSumExp is x where n is the end of Gorgonia's LogSumExp of x, else nil.
func logSumExp(n *gorgonia.Node) *gorgonia.Node {
	total, ok := unary(n, "ln")
	if !ok {
		return nil
	}
	sum, m, ok := binary(total, "+")
	if !ok {
		return nil
	}
	powers, isSum := operand(sum, "sumOp")
	x, isMax := operand(m, "maxOp")
	if !isSum || !isMax {
		return nil
	}
	if rest, ok := unary(powers, "exp"); ok {
		if a, b, ok := binary(rest, "-"); ok && a == x && b == m {
			return x
		}
	}
	return nil
}

// replaceProduct replaces the outer product, which has no right gradient.
func replaceProduct(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	if fmt.Sprint(n.Op()) != "a ⊗ b" {
		return nil, nil
	}
	p.note("%s: your own machine cannot compute the gradient of Gorgonia's OuterProd. Reshape the vectors to n×1 and 1×m and take apoops.Linear of them.", describeUse(n))
	return contract(n, operands[0], operands[1], nil, nil)
}

// replaceTensordot computes the product of two matrices.
func replaceTensordot(n *gorgonia.Node, operands gorgonia.Nodes, p *Pass) (*gorgonia.Node, error) {
	f := fieldsOf(n.Op())
	a, b := f.integers("aAxes"), f.integers("bAxes")
	if f.err != nil {
		return nil, f.err
	}
	if len(a) != len(b) {
		return nil, errors.Errorf("tensordot over %d and %d axes", len(a), len(b))
	}
	return contract(n, operands[0], operands[1], a, b)
}

// contract is the sum over pairs of axes of a and b: a product of matrices, with
// a's axes last and b's first. The axes that are left are those of n, a's first.
func contract(n, a, b *gorgonia.Node, aAxes, bAxes []int) (*gorgonia.Node, error) {
	x, err := matrixOf(a, aAxes, true)
	if err != nil {
		return nil, err
	}
	w, err := matrixOf(b, bAxes, false)
	if err != nil {
		return nil, err
	}
	y, err := apoops.Linear(x, w, apoops.Identity)
	if err != nil {
		return nil, err
	}
	return apoops.Reshape(y, n.Shape()...)
}

// matrixOf is x as a matrix with the given axes, in their order, as its columns or
// else as its rows, and the others, in theirs, as the other.
func matrixOf(x *gorgonia.Node, axes []int, columns bool) (*gorgonia.Node, error) {
	var rest []int
	size := 1
	for i, length := range x.Shape() {
		if slices.Contains(axes, i) {
			size *= length
		} else {
			rest = append(rest, i)
		}
	}
	order, shape := append(slices.Clone(axes), rest...), tensor.Shape{size, x.Shape().TotalSize() / size}
	if columns {
		order, shape = append(rest, axes...), tensor.Shape{shape[1], size}
	}
	if !slices.IsSorted(order) {
		var err error
		if x, err = gorgonia.Transpose(x, order...); err != nil {
			return nil, err
		}
	}
	return apoops.Reshape(x, shape...)
}
