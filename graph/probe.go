package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
	"github.com/apo-gorgonia/apo/graph/form"
)

// ProbeConfig says what a Probe graph is built for.
type ProbeConfig struct {
	Source Source
	Params []*Param // of the model, statistics included
	Blocks []Block
	// Batch has the dtypes and shapes of B': b' examples. Its targets are not looked
	// at. For a Problem, whose inputs may have their examples along any axis, b' is the
	// number of rows of its output.
	Batch Batch
	// Positions is the number of rows of each example where a layer has more, such as
	// the positions of a convolution: so many are drawn. 0 means 1.
	Positions int
	// Random is the source of dropout masks; nil for models without.
	Random *apoops.Random
	// Noise draws the probes and the positions, for each step others.
	Noise *apoops.Random
	// Learners keep the φ of the blocks. With them the graph has the step of each
	// block by its Form.Probed too, see Probe.Step; without, nil, rows alone.
	Learners []form.ProbeLearner
}

// Probe is the graph of B' from which a structured preconditioner is learned: what
// the function-space discrepancy D_F of Eq. 8 looks like to second order around θ. One
// forward pass on b' examples, one backward pass of
//
//	√b'·<q, f(x~, θ)>,    E qqᵀ = ∂²D̄/∂y'² at y' = y = f(x~, θ)
//
// with D̄ the mean divergence of the batch and a random q for each example (see
// Divergence.Probe). With x the inputs of a layer, with the 1 of its bias, and z the
// gradients of this by its pre-activations, both of single examples,
//
//	F = E 1/n Σ_i x_i x_iᵀ ⊗ z_i z_iᵀ
//
// is the block of the Gauss-Newton matrix of the mean discrepancy that belongs to the
// layer's weights, exactly: the inputs and gradients need not be independent, as KFAC
// assumes them to be. n is the number of rows, b' for a layer that sees each example
// once. Where it has more rows, the positions of a convolution or of a sequence or the
// several uses of shared weights, terms of different rows of one example are left out
// (see apoops.LayerRows); so they are between the examples that batch norm couples.
//
// The gradients of such weights are not computed. A block whose gradient is no sum of
// products of layers, such as a vector, an embedding or the scale of batch norm, has
// the diagonal of F instead, h²/b' with h the gradient by the block. Its expectation is
// exact.
//
// A divergence without Probe takes targets drawn by the Sample of the loss: z are the
// gradients of the loss of single examples on them, and F is the Fisher matrix.
type Probe struct {
	*program
	x        gorgonia.Nodes
	examples int
	whole    bool // batches have the shapes of x, whatever their axes count
	blocks   []*probed
	hyper    *gorgonia.Node // d, b and τ of the steps
	half     *gorgonia.Node // ½Σ‖q‖², nil where targets are drawn

	// With a group: the part of the examples, the weights of means over what counts, of
	// rows of inputs and of the objective, the last for gradients too or nil where it is in
	// them.
	part                                        part
	countShare, inputShare, gradShare, rowShare *gorgonia.Node
}

// probed has the nodes of a block: those of its rows, or the diagonal, and of its step.
type probed struct {
	name     string
	x, z     *gorgonia.Node
	diagonal *gorgonia.Node
	step     *probeStep
}

// NewProbe builds the graph. The error is an ErrNoProbe where neither the divergence
// has a Probe nor the loss a Sample.
func NewProbe(c ProbeConfig) (*Probe, error) {
	return construct(func() (*Probe, error) { return compileProbe(c) })
}

func compileProbe(c ProbeConfig) (*Probe, error) {
	k, err := buildProbe(c)
	if err != nil {
		return nil, err
	}
	var outputs gorgonia.Nodes
	for i, b := range c.Blocks {
		p := k.blocks[i]
		switch {
		case c.Learners != nil:
			if err := k.inSingle(func() error { return k.addStep(p, b, c.Learners[i]) }); err != nil {
				return nil, errors.WithMessagef(err, "graph: probe of %q", b.Name)
			}
			outputs = append(outputs, p.step.outputs()...)
		case p.diagonal != nil:
			outputs = append(outputs, p.diagonal)
		default:
			outputs = append(outputs, p.x, p.z)
		}
	}
	if k.half != nil {
		outputs = append(outputs, k.half)
	}
	return k, k.compileFor(outputs...)
}

// ProbeRows reports of each block whether a Probe has rows of it, without the cost of
// compiling one.
func ProbeRows(c ProbeConfig) (rows []bool, err error) {
	k, err := construct(func() (*Probe, error) { return buildProbe(c) })
	if err != nil {
		return nil, err
	}
	for i := range k.blocks {
		rows = append(rows, k.HasRows(i))
	}
	return rows, nil
}

func buildProbe(c ProbeConfig) (*Probe, error) {
	if err := CheckParams(c.Params); err != nil {
		return nil, err
	}
	if c.Noise == nil || c.Batch.Len() == 0 {
		return nil, errors.New("graph: probe: no Noise, or an empty Batch")
	}
	if c.Learners != nil && len(c.Learners) != len(c.Blocks) {
		return nil, errors.Errorf("graph: probe: %d learners for %d blocks", len(c.Learners), len(c.Blocks))
	}
	stored, err := newProgramOf(c.Source, c.Params)
	if err != nil {
		return nil, err
	}
	k := &Probe{program: stored, examples: examplesOf(c.Source, c.Batch.Len())}
	_, k.whole = c.Source.(wholeBatches)
	if c, err = k.divide(c); err != nil {
		return nil, err
	}
	grads, err := k.gradients(c)
	if err != nil {
		return nil, err
	}
	for i, b := range c.Blocks {
		p, err := k.block(b, grads, apoops.RowSettings{
			Examples: k.part.count, Positions: c.Positions, Noise: c.Noise, Stream: uint64(i) + 1,
		})
		if err != nil {
			return nil, errors.WithMessagef(err, "graph: probe of %q", b.Name)
		}
		k.blocks = append(k.blocks, p)
	}
	return k, nil
}

// gradients builds the gradient by each learned parameter: zeros for those that the
// output does not depend on.
func (k *Probe) gradients(c ProbeConfig) (gorgonia.Nodes, error) {
	k.x = k.inputsLike(c.Batch.X, "x")
	x, theta, err := k.inputsAndWeights(k.x, c.Params)
	if err != nil {
		return nil, err
	}
	objective, q, err := c.Source.BuildProbe(k.pass(CurvatureRole, k.part, c.Random), x, theta, c.Noise)
	if err == nil && q != nil {
		if k.half, err = apoops.HalfSquaredNorm(q); err == nil {
			k.half, err = k.jointOne(k.countShare, k.half)
		}
	}
	if err == nil {
		objective, k.rowShare, err = k.weighed(objective, k.gradShare)
	}
	if err != nil {
		return nil, err
	}
	used := ancestors(objective)
	var wrt gorgonia.Nodes
	learned := k.leaves(learnedOf(c.Params, theta))
	for _, n := range learned {
		if used[n] {
			wrt = append(wrt, n)
		}
	}
	if _, err := k.differentiate(objective, wrt); err != nil {
		return nil, err
	}
	grads := make(gorgonia.Nodes, len(learned))
	for i, n := range learned {
		if grads[i] = n.Deriv(); used[n] {
			continue
		}
		grads[i] = k.input(k.dt, n.Shape(), "zeros/%d", i)
		if err := gorgonia.Let(grads[i], tensor.New(tensor.Of(k.dt), tensor.WithShape(n.Shape()...))); err != nil {
			return nil, errors.Wrap(err, "graph: probe")
		}
	}
	return grads, nil
}

// block builds a block's nodes.
func (k *Probe) block(b Block, grads gorgonia.Nodes, s apoops.RowSettings) (*probed, error) {
	p := &probed{name: b.Name}
	var err error
	if uses := usesOfBlock(b, grads); uses != nil && b.takesRows() {
		if p.x, p.z, err = rowsOf(uses, s); err != nil {
			return nil, err
		}
		if p.x.Shape()[1] == b.Rows && p.z.Shape()[1] == b.Cols {
			z, err := k.unscaled(p.z)
			if err != nil {
				return nil, err
			}
			p.z = z[0]
			return p, k.joinRows(p)
		}
	}
	var h gorgonia.Nodes
	for _, i := range b.Params {
		g := grads[i]
		if f, ok := apoops.ConvBiasGradientOf(g); ok {
			if g, err = apoops.ConvBiasGradient(f, g.Shape()...); err != nil {
				return nil, err
			}
		}
		h = append(h, g)
	}
	if h, err = k.unscaled(h...); err == nil {
		h, err = k.joint(k.rowShare, h...)
	}
	if err != nil {
		return nil, err
	}
	err = k.inSingle(func() error {
		p.diagonal, err = apoops.ScaledSquares(1/float64(k.examples), b.Rows, b.Cols, h...)
		return err
	})
	return p, err
}

// Examples is b', the number of examples of a run.
func (k *Probe) Examples() int { return k.examples }

// Feed binds the first b' examples of a batch, in their place; for a Problem the batch,
// which has the shapes of the problem's inputs. Its targets are not looked at.
func (k *Probe) Feed(batch Batch) error { return k.fed(func() error { return k.bindOwn(batch) }) }

// bindOwn binds the part of the examples that is this member's.
func (k *Probe) bindOwn(batch Batch) error {
	if k.whole {
		return letAll("input", k.x, batch.X)
	}
	first, err := Batch{X: batch.X}.First(k.examples)
	if err == nil && k.group != nil {
		first, err = k.ownOf(first)
	}
	if err != nil {
		return err
	}
	return letAll("input", k.x, first.X)
}

// HasRows reports whether block i, in the order of the configuration, has rows. The
// others have squares.
func (k *Probe) HasRows(i int) bool { return k.blocks[i].diagonal == nil }

// Rows are x, n×rows, and z, n×cols, of block i as of the last run, valid until the
// next.
func (k *Probe) Rows(i int) (x, z *tensor.Dense, err error) {
	if !k.HasRows(i) || k.blocks[i].step != nil {
		return nil, nil, errors.Errorf("graph: probe: block %q has no rows, or its step takes them", k.blocks[i].name)
	}
	v, err := denseValues(gorgonia.Nodes{k.blocks[i].x, k.blocks[i].z})
	if err != nil {
		return nil, nil, err
	}
	return v[0], v[1], nil
}

// Squares are h²/b' of block i, rows×cols, as of the last run, valid until the next.
func (k *Probe) Squares(i int) (*tensor.Dense, error) {
	if k.HasRows(i) || k.blocks[i].step != nil {
		return nil, errors.Errorf("graph: probe: block %q has rows in place of squares, or its step takes them", k.blocks[i].name)
	}
	v, err := denseValues(gorgonia.Nodes{k.blocks[i].diagonal})
	if err != nil {
		return nil, err
	}
	return v[0], nil
}
