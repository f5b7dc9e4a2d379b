package graph

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/apo-gorgonia/apo/apoops"
)

// matchNorm finds Gorgonia's BatchNorm with its scale and bias.
func matchNorm(f *fuser, n *gorgonia.Node) *fusedLayer {
	known := func(y *gorgonia.Node) bool { norm, _ := scaledNorm(f, y); return norm != nil }
	y, bias := plusBias(f, n, known)
	if bias == nil {
		return nil
	}
	norm, scale := scaledNorm(f, y)
	return &fusedLayer{gorgonia.Nodes{children(norm)[0], scale, bias}, func(x gorgonia.Nodes, act apoops.Activation) (*gorgonia.Node, error) {
		channels := x[0].Shape()[1]
		for i, v := range x[1:] {
			if shapeIs(v, channels) {
				continue
			}
			var err error
			if x[1+i], err = apoops.Reshape(v, channels); err != nil {
				return nil, err
			}
		}
		return f.pass.normalize(norm, x[0], x[1], x[2], act)
	}}
}

// scaledNorm takes scale ∘ norm(x) apart; norm is nil where y is no such thing.
func scaledNorm(f *fuser, y *gorgonia.Node) (norm, scale *gorgonia.Node) {
	a, b, ok := binary(y, "⊙")
	if !ok {
		return nil, nil
	}
	for _, c := range [2][2]*gorgonia.Node{{a, b}, {b, a}} {
		x, ok := operand(c[1], "BatchNormOp")
		if ok && f.inner(c[1], 1) && !f.isParameter(x) && sameAlike(c[1], y) {
			if scale := channelwise(f, c[0]); scale != nil {
				return c[1], scale
			}
		}
	}
	return nil, nil
}

// normalize stands for the user's batch norm n, with what follows it: by the
// statistics of the batch, which the running ones of a Standalone follow, and by the
// running ones in evaluation.
func (p *Pass) normalize(n, x, scale, shift *gorgonia.Node, act apoops.Activation) (*gorgonia.Node, error) {
	epsilon := field(n, "epsilon").Float()
	at := slices.IndexFunc(p.norms, func(s statistics) bool { return gorgonia.Op(s.op) == n.Op() })
	if !p.Training() {
		if at < 0 {
			return nil, errors.Errorf("graph: %s has no running statistics to be evaluated with", describe(n))
		}
		return apoops.BatchNormWith(x, scale, shift, p.norms[at].mean, p.norms[at].variance, epsilon, act)
	}
	y, mean, variance, err := apoops.BatchNorm(x, scale, shift, epsilon, act)
	if err == nil && at >= 0 {
		s := p.norms[at]
		p.Track(s.mean, mean, s.rate)
		p.Track(s.variance, variance, s.rate)
	}
	return y, err
}
