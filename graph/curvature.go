package graph

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops"
)

// CurvatureConfig says what a Curvature graph is built for.
type CurvatureConfig struct {
	Source Source
	Params []*Param // of the model, statistics included
	// Blocks are the weight matrices whose factors are wanted.
	Blocks []Block
	// Batch has the dtypes and shapes of the batches.
	Batch Batch
	// Random is the source of dropout masks; nil for models without.
	Random *apoops.Random
	// Noise draws the targets from the model's own distribution, for the Fisher
	// matrix. nil takes the targets of the batch.
	Noise *apoops.Random
	// PatchesPerDim bounds the patches that Ā of a convolution is made of: so many for each
	// of its rows, drawn at random by Patches. 0 takes all.
	PatchesPerDim float64
	Patches       *apoops.Random
	// Squares adds the squared projections of EKFAC.
	Squares bool
}

// Curvature is the graph of the Kronecker factors of the Fisher matrix at θ,
// block by block (Martens & Grosse 2015). With ā_i a layer's inputs for example
// i, a 1 behind them where the block has a bias, and s_i the gradient of that
// example's loss by the layer's pre-activations,
//
//	Ā = 1/N Σ_i ā_i ā_iᵀ    Ḡ = 1/N Σ_i s_i s_iᵀ
//
// and, with bases of eigenvectors U_A, U_G as rows (George et al. 2018),
//
//	D = 1/N Σ_i (U_A ā_i s_iᵀ U_Gᵀ)².
//
// Ā of a convolution may be made of a part of its patches, so that it is right in
// expectation.
//
// It is one forward and one backward pass that leaves the gradients of the
// weights out.
type Curvature struct {
	*program
	x, t             gorgonia.Nodes
	moments, squares apoops.Switch
	layers           []*layer

	// With a group: the part of the batch, the weights of means of inputs and of squares of
	// gradients, and that of the loss with a joint batch norm.
	part                               part
	inputShare, squareShare, lossShare *gorgonia.Node
	inputs, gradients, projections     *sums
}

// layer has the nodes of a block.
type layer struct {
	a, g, d, ua, ug *gorgonia.Node
}

// NewCurvature builds the graph. Blocks whose gradient is no single product of a
// layer's inputs and the gradients by its pre-activations (see Has) are left
// out; it is an error if all are.
func NewCurvature(c CurvatureConfig) (*Curvature, error) {
	return construct(func() (*Curvature, error) { return buildCurvature(c) })
}

func buildCurvature(c CurvatureConfig) (*Curvature, error) {
	if err := CheckParams(c.Params); err != nil {
		return nil, err
	}
	p, err := newProgramOf(c.Source, c.Params)
	if err != nil {
		return nil, err
	}
	k := &Curvature{program: p}
	if c, err = k.divide(c); err != nil {
		return nil, err
	}
	grads, err := k.lossGradients(c)
	if err != nil {
		return nil, err
	}
	k.beginSums()
	for i, b := range c.Blocks {
		l, err := k.layer(i, grads, &c)
		if err != nil {
			return nil, errors.WithMessagef(err, "graph: curvature of %q", b.Name)
		}
		k.layers = append(k.layers, l)
	}
	outputs, err := k.endSums()
	if err != nil {
		return nil, err
	}
	if len(outputs) == 0 {
		return nil, errors.New("graph: no block is the weight matrix of a layer that is used once (a penalty on the weights in the cost is a use too): there are no Kronecker factors")
	}
	return k, k.compileFor(outputs...)
}

// lossGradients builds the gradient of the loss by each learned parameter.
func (k *Curvature) lossGradients(c CurvatureConfig) (gorgonia.Nodes, error) {
	k.x = k.inputsLike(c.Batch.X, "x")
	x, theta, err := k.inputsAndWeights(k.x, c.Params)
	if err != nil {
		return nil, err
	}
	var loss *gorgonia.Node
	pass := k.pass(CurvatureRole, k.part, c.Random)
	if c.Noise != nil {
		loss, err = c.Source.BuildSampledLoss(pass, x, theta, c.Noise)
	} else {
		k.t = k.inputsLike(c.Batch.T, "t")
		loss, err = c.Source.BuildLoss(pass, x, k.t, theta)
	}
	if err != nil {
		return nil, err
	}
	if loss, _, err = k.weighed(loss, k.lossShare); err != nil {
		return nil, err
	}
	return k.differentiate(loss, learnedOf(c.Params, theta))
}

// layer builds the nodes of block i, nil for a block without factors.
func (k *Curvature) layer(i int, grads gorgonia.Nodes, c *CurvatureConfig) (*layer, error) {
	b := c.Blocks[i]
	f, ok := factorsOf(grads[b.Params[0]])
	if !ok || (f.Conv == nil && (f.A.Dims() != 2 || f.S.Dims() != 2)) {
		return nil, nil
	}
	f.Bias = f.Bias || len(b.Params) == 2 // a pair of weight and bias
	s, err := k.unscaled(f.S)
	if err != nil {
		return nil, err
	}
	f.S = s[0]
	l := &layer{}
	patches := apoops.PatchSample{Count: math.MaxInt, Images: k.part.all, Source: c.Patches, Stream: uint64(i)}
	if c.PatchesPerDim > 0 {
		patches.Count = int(min(math.Ceil(c.PatchesPerDim*float64(b.Rows)), math.MaxInt32))
	}
	if l.a, err = apoops.SampledInputMoment(f, patches, &k.moments); err != nil {
		return nil, err
	}
	if l.g, err = apoops.GradientMoment(f, &k.moments); err != nil {
		return nil, err
	}
	if l.a.Shape()[0] != b.Rows || l.g.Shape()[0] != b.Cols {
		return nil, nil
	}
	if err := k.inputs.add(l.a); err != nil {
		return nil, err
	}
	if err := k.gradients.add(l.g); err != nil {
		return nil, err
	}
	if c.Squares {
		l.ua = k.input(k.dt, tensor.Shape{b.Rows, b.Rows}, "basis/A/%s", b.Name)
		l.ug = k.input(k.dt, tensor.Shape{b.Cols, b.Cols}, "basis/G/%s", b.Name)
		if l.d, err = apoops.ProjectedSquares(f, l.ua, l.ug, &k.squares); err != nil {
			return nil, err
		}
		err = k.projections.add(l.d)
	}
	return l, err
}

// Has reports whether block i, in the order of the configuration, has factors.
func (k *Curvature) Has(i int) bool { return k.layers[i] != nil }

// SetBases binds the bases of block i, rows×rows and cols×cols, whose rows are
// the eigenvectors. The graph reads their memory at each run.
func (k *Curvature) SetBases(i int, ua, ug *tensor.Dense) error {
	l := k.layers[i]
	return letAll("basis", gorgonia.Nodes{l.ua, l.ug}, []*tensor.Dense{ua, ug})
}

// Feed binds a batch. Its targets are not looked at where they are drawn.
func (k *Curvature) Feed(batch Batch) error { return k.fed(func() error { return k.bindOwn(batch) }) }

// bindOwn binds the part of a batch that is this member's.
func (k *Curvature) bindOwn(batch Batch) error {
	batch, err := k.ownOf(batch)
	if err != nil {
		return err
	}
	if err := letAll("input", k.x, batch.X); err != nil {
		return err
	}
	if k.t == nil {
		return nil
	}
	return letAll("target", k.t, batch.T)
}

// RunFor runs the graph and computes Ā and Ḡ where moments is set, D where
// squares is.
func (k *Curvature) RunFor(moments, squares bool) error {
	k.moments.Off, k.squares.Off = !moments, !squares
	return k.Run()
}

// Moments are Ā and Ḡ of block i as of the last run for them, valid until the
// next.
func (k *Curvature) Moments(i int) (a, g *tensor.Dense, err error) {
	v, err := denseValues(gorgonia.Nodes{k.layers[i].a, k.layers[i].g})
	if err != nil {
		return nil, nil, err
	}
	return v[0], v[1], nil
}

// Squares are D of block i as of the last run for them, valid until the next.
func (k *Curvature) Squares(i int) (*tensor.Dense, error) {
	v, err := denseValues(gorgonia.Nodes{k.layers[i].d})
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// factorsOf is fusedFactorsOf with the node of S, added to the graph where there is
// none.
func factorsOf(n *gorgonia.Node) (apoops.Factors, bool) {
	f, ok := fusedFactorsOf(n)
	if f.Y != nil {
		return apoops.GradientFactors(n)
	}
	return f, ok
}
