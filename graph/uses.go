package graph

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// use is one of the products that add up to the gradient of a weight matrix: one of
// the layers that have the weights.
type use struct {
	apoops.Factors
	// transposed: the product is sᵀ·a, as for filters outputs×inputs, or where an
	// autoencoder reads the weights the other way round.
	transposed bool
}

// usesOf finds the products of layers that a gradient is the sum of. ok is false where
// it has any other term, such as the rows that an embedding looked up.
func usesOf(n *gorgonia.Node) (uses []use, ok bool) {
	if n == nil || n.Op() == nil {
		return nil, false
	}
	if f, ok := fusedFactorsOf(n); ok {
		matrices := f.Conv != nil || f.A.Dims() == 2 && f.S.Dims() == 2
		return []use{{Factors: f}}, matrices
	}
	if terms := termsOf(n); terms != nil {
		for _, t := range terms {
			more, ok := usesOf(t)
			if !ok {
				return nil, false
			}
			uses = append(uses, more...)
		}
		return uses, true
	}
	matrix, filters := transposeOf(n)
	if matrix == nil {
		return nil, false
	}
	uses, ok = usesOf(matrix)
	for i := range uses {
		uses[i].transposed = !uses[i].transposed
		if filters {
			uses[i].Bias = false // a parameter of its own
		}
	}
	return uses, ok
}

// usesOfBlock are the layers that have the weights of a block, nil where there are other
// uses too.
func usesOfBlock(b Block, grads gorgonia.Nodes) []use {
	uses, ok := usesOf(grads[b.Params[0]])
	switch {
	case !ok || len(b.Params) > 2:
		return nil
	case len(b.Params) == 2: // a pair of weight and bias
		if !joinBias(uses, grads[b.Params[1]]) {
			return nil
		}
	}
	return uses
}

// rowsOf builds the rows x and z of the layers.
func rowsOf(uses []use, s apoops.RowSettings) (x, z *gorgonia.Node, err error) {
	biased := false
	for _, u := range uses {
		biased = biased || u.Bias
	}
	rows, cols := make([]apoops.RowFactors, len(uses)), make([]apoops.RowFactors, len(uses))
	for i, u := range uses {
		in := apoops.RowFactors{Factors: u.Factors, BiasRow: biased}
		out := apoops.RowFactors{Factors: u.Factors, Gradients: true}
		if u.transposed {
			in, out = out, in
		}
		rows[i], cols[i] = in, out
	}
	if x, err = apoops.LayerRows(rows, s); err != nil {
		return nil, nil, err
	}
	z, err = apoops.LayerRows(cols, s)
	return x, z, err
}

// fusedFactorsOf finds the factors of a gradient: those of a layer of package apoops, see
// apoops.FusedFactors, or of Gorgonia's product x·W, whose gradient is xᵀ·s.
func fusedFactorsOf(n *gorgonia.Node) (apoops.Factors, bool) {
	if n.Op() == nil {
		return apoops.Factors{}, false
	}
	if f, ok := apoops.FusedFactors(n); ok {
		return f, true
	}
	if !isTransposedProduct(n.Op()) {
		return apoops.Factors{}, false
	}
	c := children(n)
	return apoops.Factors{A: c[0], S: c[1]}, true
}

// termsOf are the terms of a sum of arrays of one shape, nil where n is none.
func termsOf(n *gorgonia.Node) gorgonia.Nodes {
	if terms := apoops.Terms(n); terms != nil {
		return terms
	}
	if a, b, ok := binary(n, "+"); ok && sameAlike(a, b) {
		return gorgonia.Nodes{a, b}
	}
	return nil
}

// transposeOf is the matrix that n is the transpose of, nil where it is none. filters:
// n are those of a convolution, and the matrix has their bias too where there is one.
func transposeOf(n *gorgonia.Node) (matrix *gorgonia.Node, filters bool) {
	if m := apoops.FilterGradientOf(n); m != nil {
		return m, true
	}
	if m, ok := operand(n, "transposeOp"); ok && m.Dims() == 2 && slices.Equal(fieldsOf(n.Op()).integers("pattern"), []int{1, 0}) {
		return m, false
	}
	return nil, false
}

// joinBias marks the uses of a weight matrix that have its bias, a parameter of its
// own with the given gradient. ok is false where the bias is used otherwise too.
func joinBias(uses []use, gradient *gorgonia.Node) (ok bool) {
	terms := gorgonia.Nodes{gradient}
	for i := 0; i < len(terms); {
		more := termsOf(terms[i])
		if more == nil {
			i++
			continue
		}
		terms = slices.Concat(terms[:i], more, terms[i+1:])
	}
	for _, t := range terms {
		s := biasGradientOf(t)
		i := slices.IndexFunc(uses, func(u use) bool { return u.S == s && !u.Bias && !u.transposed })
		if s == nil || i < 0 {
			return false
		}
		uses[i].Bias = true
	}
	return true
}

// biasGradientOf are the gradients by pre-activations that a gradient by a bias is the
// sum of, nil where it is none.
func biasGradientOf(n *gorgonia.Node) *gorgonia.Node {
	for isReshape(n) {
		n = children(n)[0]
	}
	if s := apoops.BiasGradientOf(n); s != nil {
		return s
	}
	if s, ok := operand(n, "sumOp"); ok && s.Dims() == 2 && slices.Equal(fieldsOf(n.Op()).integers("along"), []int{0}) {
		return s
	}
	return nil
}
