package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// ProximalConfig says what a Proximal graph is built from.
type ProximalConfig struct {
	Source    Source
	Params    []*Param // of the model, statistics included
	Lookahead Lookahead
	// Batch is an example of B, Tilde of the inputs of B'.
	Batch Batch
	Tilde []*tensor.Dense
	// Random may be nil for models without dropout.
	Random *apoops.Random
	// NoLoss, NoFSD and NoWSD leave a term out, and with it its passes; one is needed.
	NoLoss, NoFSD, NoWSD bool
	// ValuesOnly leaves out ∂Q/∂φ: a graph for probing Q.
	ValuesOnly bool
}

// Proximal is the second graph: the terms of Q(φ) (Eq. 8) and ∂Q/∂φ.
type Proximal struct {
	*program
	x, t, tilde  gorgonia.Nodes
	step         *step
	lambdaF      *gorgonia.Node
	lambdaW      *gorgonia.Node
	q, loss      gorgonia.Value
	fsd, wsd     gorgonia.Value
	dphi         gorgonia.Nodes
	energies     []gorgonia.Nodes // by block
	noLoss       bool
	noFSD, noWSD bool

	// With a group: the parts of B and B', the weights of their terms, and the shares of
	// this member in Q's terms that are differentiated.
	part, tildePart     part
	lossShare, fsdShare *gorgonia.Node
	wsdShare            *gorgonia.Node
}

// NewProximal builds the graph. Like Base it reads the parameters' memory
// directly.
func NewProximal(c ProximalConfig) (*Proximal, error) {
	return construct(func() (*Proximal, error) { return buildProximal(c) })
}

func buildProximal(c ProximalConfig) (*Proximal, error) {
	if err := CheckParams(c.Params); err != nil {
		return nil, err
	}
	stored, err := newProgramOf(c.Source, c.Params)
	if err != nil {
		return nil, err
	}
	if c.NoLoss && c.NoFSD && c.NoWSD {
		return nil, errors.New("graph: Q without any of its terms")
	}
	p := &Proximal{program: stored, noLoss: c.NoLoss, noFSD: c.NoFSD, noWSD: c.NoWSD}
	if c, err = p.divide(c); err != nil {
		return nil, err
	}
	if !c.NoLoss {
		p.x, p.t = p.inputsLike(c.Batch.X, "x"), p.inputsLike(c.Batch.T, "t")
	}
	x, theta, err := p.inputsAndWeights(p.x, c.Params)
	if err != nil {
		return nil, err
	}
	moved, err := p.moved(c, theta)
	if err != nil {
		return nil, err
	}
	var q proximalSum
	if !c.NoLoss {
		if err := p.addLoss(&q, c, x, moved); err != nil {
			return nil, err
		}
	}
	if !c.NoFSD {
		fsd, err := p.discrepancy(c, theta, moved)
		if err != nil {
			return nil, errors.WithMessage(err, "function-space discrepancy")
		}
		p.lambdaF = p.input(p.dt, tensor.ScalarShape(), "lambdaFSD")
		if err := p.add(&q, p.lambdaF, p.fsdShare, fsd, &p.fsd); err != nil {
			return nil, err
		}
	}
	if !c.NoWSD {
		p.lambdaW = p.input(p.dt, tensor.ScalarShape(), "lambdaWSD")
		if err := p.add(&q, p.lambdaW, p.wsdShare, p.step.wsd, &p.wsd); err != nil {
			return nil, err
		}
	}
	gorgonia.Read(q.whole, &p.q)
	if !c.ValuesOnly {
		if err := p.byPhi(q.own); err != nil {
			return nil, err
		}
	}
	if err := p.compile(p.dphi...); err != nil {
		return nil, err
	}
	return p, nil
}

// moved are θ' as models see them. The lookahead reads the arrays of θ, whose numbers may
// have more bits than those that models see.
func (p *Proximal) moved(c ProximalConfig, theta gorgonia.Nodes) (gorgonia.Nodes, error) {
	var err error
	if p.step, err = c.Lookahead.build(p.program, Learned(c.Params), p.leaves(learnedOf(c.Params, theta)), !c.NoWSD); err != nil {
		return nil, err
	}
	learned := make(gorgonia.Nodes, len(p.step.moved))
	for i, n := range p.step.moved {
		if learned[i], err = p.storage.rounded(n); err != nil {
			return nil, err
		}
		if p.group != nil && p.step.energies != nil {
			if learned[i], err = p.jointGradient(learned[i]); err != nil {
				return nil, err
			}
		}
	}
	return withLearned(c.Params, theta, learned), nil
}

func (p *Proximal) addLoss(q *proximalSum, c ProximalConfig, x, moved gorgonia.Nodes) error {
	loss, err := c.Source.BuildLoss(p.pass(LossRole, p.part, p.part.random(c.Random)), x, p.t, moved)
	if err != nil {
		return errors.WithMessage(err, "J_B(θ')")
	}
	return p.add(q, nil, p.lossShare, loss, &p.loss)
}

// byPhi adds ∂Q/∂φ and what is made of it.
func (p *Proximal) byPhi(q *gorgonia.Node) error {
	grads, err := p.differentiate(q, p.step.phi)
	if err == nil {
		grads, err = p.unscaled(grads...)
	}
	if err != nil {
		return err
	}
	if p.dphi = grads; p.step.energies == nil {
		p.dphi, err = p.joint(nil, grads...)
		return err
	}
	return p.inSingle(func() error {
		p.energies, err = p.step.energies(p.dphi)
		return err
	})
}

// discrepancy is the mean of D_F(θ', θ, x~) over B'.
func (p *Proximal) discrepancy(c ProximalConfig, theta, moved gorgonia.Nodes) (*gorgonia.Node, error) {
	p.tilde = p.inputsLike(c.Tilde, "tilde")
	tilde, err := p.data(p.tilde)
	if err != nil {
		return nil, err
	}
	random := p.tildePart.random(c.Random)
	before, err := c.Source.BuildOutput(p.pass(OldRole, p.tildePart, random), tilde, theta)
	if err != nil {
		return nil, err
	}
	after, err := c.Source.BuildOutput(p.pass(MovedRole, p.tildePart, random), tilde, moved)
	if err != nil {
		return nil, err
	}
	return c.Source.BuildDiscrepancy(before, after, tilde)
}

// Feed binds the batches B and B' (the inputs alone). B is not read where the graph has no
// loss, B' where it has no FSD term.
func (p *Proximal) Feed(batch Batch, tilde []*tensor.Dense) error {
	return p.fed(func() error { return p.bindOwn(batch, tilde) })
}

// bindOwn binds the parts of the batches that are this member's.
func (p *Proximal) bindOwn(batch Batch, tilde []*tensor.Dense) error {
	batch, tilde, err := p.ownOf(batch, tilde)
	if err != nil {
		return err
	}
	if !p.noLoss {
		if err := letAll("input", p.x, batch.X); err != nil {
			return err
		}
		if err := letAll("target", p.t, batch.T); err != nil {
			return err
		}
	}
	if p.noFSD {
		return nil
	}
	return letAll("function-space input", p.tilde, tilde)
}

// FeedWeights binds λ_FSD and λ_WSD. Terms that were left out stay out.
func (p *Proximal) FeedWeights(lambdaFSD, lambdaWSD float64) error {
	if !p.noFSD {
		if err := letScalar(p.lambdaF, lambdaFSD); err != nil {
			return err
		}
	}
	if p.noWSD {
		return nil
	}
	return letScalar(p.lambdaW, lambdaWSD)
}

// FeedStep binds φ and the lookahead's inputs: the base optimizer's directions
// for a RateLookahead, with their tangents behind them, the blocks' gradients for a
// PrecondLookahead, nothing for Free, see there for a RelativeLookahead. scale is the
// schedule's factor of a RateLookahead, ε of a RelativeLookahead.
func (p *Proximal) FeedStep(phi, inputs []*tensor.Dense, scale float64) error {
	if len(phi) != len(p.step.phi) {
		return errors.Errorf("graph: %d arrays of φ for a graph with %d", len(phi), len(p.step.phi))
	}
	for i, n := range p.step.phi {
		if i >= len(phi)-p.step.tangents {
			if err := letScalar(n, 0); err != nil {
				return err
			}
			continue
		}
		if n.IsScalar() {
			if err := letScalar(n, scalar(phi[i])); err != nil {
				return err
			}
			continue
		}
		if err := letAll("φ", gorgonia.Nodes{n}, phi[i:i+1]); err != nil {
			return err
		}
	}
	if p.step.scale != nil {
		if err := letScalar(p.step.scale, scale); err != nil {
			return err
		}
	}
	return letAll("lookahead input", p.step.inputs, inputs)
}
