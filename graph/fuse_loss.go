package graph

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// matchLoss finds losses: any number times the sum of
//
//	t ∘ log softmax(z)                         cross-entropy of classes
//	log Σ exp(z) - Σ t∘z, row by row           the same by hand
//	t ∘ log σ(z) + (1-t) ∘ log(1-σ(z))         cross-entropy of bits
//	(y-t)²                                     squared error
//
// over all elements, where the targets t depend on no parameters. Means, sums of
// sums, signs and factors make the number.
func matchLoss(f *fuser, n *gorgonia.Node) *fusion {
	if !n.IsScalar() || !f.learned[n] {
		return nil
	}
	e, factor := scaledSum(f, n)
	if e == nil {
		return nil
	}
	for _, l := range lossForms {
		if y, t, scale := l.match(f, e); y != nil && f.learned[y] && !f.learned[t] && sameAlike(y, t) {
			// The ops take the mean over the rows.
			scale *= factor * float64(y.Shape()[0])
			return &fusion{gorgonia.Nodes{y, t}, func(x gorgonia.Nodes) (*gorgonia.Node, error) {
				mean, err := l.op(x[0], x[1])
				if err != nil || scale == 1 {
					return mean, err
				}
				return apoops.Times(mean, scale)
			}}
		}
	}
	return nil
}

// lossForms are the sums that are known: match finds the outputs y and the targets t
// of the elements e, whose sum is scale times that of the rows that op has the mean of.
var lossForms = []struct {
	match func(f *fuser, e *gorgonia.Node) (y, t *gorgonia.Node, scale float64)
	op    func(y, t *gorgonia.Node) (*gorgonia.Node, error)
}{
	{crossEntropy, apoops.SoftCrossEntropy},
	{likelihood, apoops.SoftmaxNLL},
	{bitCrossEntropy, apoops.BernoulliCrossEntropy},
	{squaredError, apoops.SquaredError},
}

// scaledSum takes n apart into a factor and the sum of all elements of e; e is nil
// where it is nothing like that. Sums along axes where Gorgonia's own go wrong are
// left to their replacement.
func scaledSum(f *fuser, n *gorgonia.Node) (e *gorgonia.Node, factor float64) {
	factor = 1
	for e = n; e == n || f.inner(e, 1); {
		if c, ok := unary(e, "neg"); ok {
			e, factor = c, -factor
			continue
		}
		if c, v, ok := timesNumber(e); ok {
			e, factor = c, factor*v
			continue
		}
		c, ok := operand(e, "sumOp")
		if !ok || (c.Dims() > 3 && len(fieldsOf(e.Op()).integers("along")) != c.Dims()) {
			break
		}
		e = c
	}
	if e.IsScalar() {
		return nil, 0
	}
	return e, factor
}

// timesNumber takes c·v or c/v apart, for a number v that is known.
func timesNumber(n *gorgonia.Node) (c *gorgonia.Node, v float64, ok bool) {
	if a, b, ok := binary(n, "÷"); ok {
		v, known := number(b)
		return a, 1 / v, known && v != 0
	}
	if a, b, ok := binary(n, "⊙"); ok {
		if v, known := number(b); known {
			return a, v, true
		}
		v, known := number(a)
		return b, v, known
	}
	return nil, 0, false
}

// crossEntropy finds t ∘ log softmax(z).
func crossEntropy(f *fuser, e *gorgonia.Node) (z, t *gorgonia.Node, scale float64) {
	a, b, ok := binary(e, "⊙")
	if !ok || !f.inner(e, 1) {
		return nil, nil, 0
	}
	for _, c := range [2][2]*gorgonia.Node{{a, b}, {b, a}} {
		z, ok := operand(c[0], "softmaxOp")
		if !ok || !f.inner(c[0], 1) || z.Dims() != 2 {
			continue
		}
		s := fieldsOf(c[0].Op())
		if isLog, axis := s.truth("isLog"), s.integer("axis"); s.err == nil && isLog && axisOfRows(axis, z.Shape()) == 1 {
			return z, c[1], -1
		}
	}
	return nil, nil, 0
}

// likelihood finds log Σ exp(z) - Σ t∘z, both sums over the rows of matrices.
func likelihood(f *fuser, e *gorgonia.Node) (z, t *gorgonia.Node, scale float64) {
	a, b, ok := binary(e, "-")
	if !ok || !f.inner(e, 1) {
		return nil, nil, 0
	}
	for sign, c := range map[float64][2]*gorgonia.Node{1: {a, b}, -1: {b, a}} {
		z := logSumOfExp(f, c[0])
		hits := rowSums(f, c[1])
		if z == nil || hits == nil {
			continue
		}
		p, q, ok := binary(hits, "⊙")
		switch {
		case !ok || !f.open(hits):
		case p == z:
			return z, q, sign
		case q == z:
			return z, p, sign
		}
	}
	return nil, nil, 0
}

// logSumOfExp is z of log Σ exp(z), nil where n is no such thing.
func logSumOfExp(f *fuser, n *gorgonia.Node) *gorgonia.Node {
	sums, ok := unary(n, "ln")
	if !ok || !f.inner(n, 1) {
		return nil
	}
	exps := rowSums(f, sums)
	if exps == nil || !f.open(exps) {
		return nil
	}
	z, _ := unary(exps, "exp")
	return z
}

// rowSums is the matrix whose sums of rows n has, nil where n is no such thing.
func rowSums(f *fuser, n *gorgonia.Node) *gorgonia.Node {
	x, ok := operand(n, "sumOp")
	if !ok || !f.inner(n, 1) || x.Dims() != 2 || !slices.Equal(fieldsOf(n.Op()).integers("along"), []int{1}) {
		return nil
	}
	return x
}

// squaredError finds (y-t)².
func squaredError(f *fuser, e *gorgonia.Node) (y, t *gorgonia.Node, scale float64) {
	if !f.inner(e, 1) {
		return nil, nil, 0
	}
	d, ok := unary(e, "square")
	reads := 1
	if !ok {
		var b *gorgonia.Node
		if d, b, ok = binary(e, "⊙"); !ok || d != b {
			return nil, nil, 0
		}
		reads = 2
	}
	a, b, ok := binary(d, "-")
	if !ok || !f.inner(d, reads) {
		return nil, nil, 0
	}
	if !f.learned[a] {
		a, b = b, a
	}
	return a, b, 2
}

// bitCrossEntropy finds t ∘ log σ(z) + (1-t) ∘ log(1-σ(z)).
func bitCrossEntropy(f *fuser, e *gorgonia.Node) (z, t *gorgonia.Node, scale float64) {
	a, b, ok := binary(e, "+")
	if !ok || !f.inner(e, 1) || !f.inner(a, 1) || !f.inner(b, 1) {
		return nil, nil, 0
	}
	for _, c := range [2][2]*gorgonia.Node{{a, b}, {b, a}} {
		t, hit := weighted(f, c[0], logSigmoid)
		rest, miss := weighted(f, c[1], logOneMinusSigmoid)
		if t == nil || rest == nil || hit != miss {
			continue
		}
		if u, ok := oneMinus(f, rest); ok && u == t {
			return hit, t, -1
		}
	}
	return nil, nil, 0
}

// weighted takes w ∘ log(z) apart, for the logarithm that is meant.
func weighted(f *fuser, n *gorgonia.Node, log func(f *fuser, n *gorgonia.Node) (z *gorgonia.Node, ok bool)) (w, z *gorgonia.Node) {
	a, b, ok := binary(n, "⊙")
	if !ok {
		return nil, nil
	}
	if z, ok := log(f, b); ok {
		return a, z
	}
	if z, ok := log(f, a); ok {
		return b, z
	}
	return nil, nil
}

// logSigmoid finds log σ(z), which Gorgonia makes -softplus(-z) of.
func logSigmoid(f *fuser, n *gorgonia.Node) (*gorgonia.Node, bool) {
	minus, ok := minusSoftplus(f, n)
	if !ok || !f.open(minus) {
		return nil, false
	}
	return unary(minus, "neg")
}

// logOneMinusSigmoid finds log(1-σ(z)), which may be -softplus(z).
func logOneMinusSigmoid(f *fuser, n *gorgonia.Node) (*gorgonia.Node, bool) {
	if z, ok := minusSoftplus(f, n); ok {
		return z, true
	}
	rest, ok := unary(n, "ln")
	if !ok || !f.open(n) {
		return nil, false
	}
	p, ok := oneMinus(f, rest)
	if !ok || !f.open(p) {
		return nil, false
	}
	return unary(p, "sigmoid")
}

func minusSoftplus(f *fuser, n *gorgonia.Node) (*gorgonia.Node, bool) {
	s, ok := unary(n, "neg")
	if !ok || !f.open(n) || !f.open(s) {
		return nil, false
	}
	return unary(s, "softplus")
}

// oneMinus takes 1 - x apart.
func oneMinus(f *fuser, n *gorgonia.Node) (*gorgonia.Node, bool) {
	one, x, ok := binary(n, "-")
	return x, ok && f.open(n) && isNumber(one, 1)
}
