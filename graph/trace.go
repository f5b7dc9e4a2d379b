package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// Finite reports whether no element is NaN or infinite, as none of an array of
// integers is.
func Finite(t *tensor.Dense) bool {
	finite, err := apoops.Choose(t.Dtype(), allFinite[float32], allFinite[float64])
	return err != nil || finite(t)
}

func allFinite[T apoops.Float](t *tensor.Dense) bool { return apoops.AllFinite(apoops.Elements[T](t)) }

// Trace computes J_B(θ) once more, as the base graph does, and names what is the
// first, in the order of computation, to be not finite: "the output of conv3", of
// the layers that the model names with Pass.Layer or the nodes of a Problem, or
// "the loss". It is "" where all are finite or the model names no layers. The graph
// is made for this one run.
func Trace(src Source, params []*Param, batch Batch, masks *apoops.Random) (string, error) {
	return construct(func() (string, error) {
		names, nodes, err := trace(src, params, batch, masks)
		if err != nil {
			return "", err
		}
		for i, n := range nodes {
			if scalar(n.Value()) != 1 {
				return names[i], nil
			}
		}
		return "", nil
	})
}

// trace runs the graph: nodes[i] is 1 where what names[i] says is finite.
func trace(src Source, params []*Param, batch Batch, masks *apoops.Random) (names []string, nodes gorgonia.Nodes, err error) {
	if err := CheckParams(params); err != nil {
		return nil, nil, err
	}
	p, err := newProgramOf(src, params)
	if err != nil {
		return nil, nil, err
	}
	x, t := p.inputsLike(batch.X, "x"), p.inputsLike(batch.T, "t")
	seen, theta, err := p.inputsAndWeights(x, params)
	if err != nil {
		return nil, nil, err
	}
	pass := &Pass{Role: BaseRole, Random: masks, plain: true} // for the names of all nodes
	loss, err := src.BuildLoss(pass, seen, t, theta)
	if err != nil || len(pass.outputs) == 0 {
		return nil, nil, err
	}
	add := func(name string, n *gorgonia.Node) error {
		f, err := apoops.Finite(n)
		names, nodes = append(names, name), append(nodes, f)
		return err
	}
	for _, o := range pass.outputs {
		if err := add("the output of "+o.layer, o.node); err != nil {
			return nil, nil, err
		}
	}
	if err := add("the loss", loss); err != nil {
		return nil, nil, err
	}
	if err := letAll("input", x, batch.X); err != nil {
		return nil, nil, err
	}
	if err := letAll("target", t, batch.T); err != nil {
		return nil, nil, err
	}
	if err := p.compileFor(nodes...); err != nil {
		return nil, nil, err
	}
	return names, nodes, p.Run()
}
