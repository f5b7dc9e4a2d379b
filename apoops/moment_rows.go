package apoops

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/apo-gorgonia/apo/apoops/collective"
	"github.com/apo-gorgonia/apo/apoops/internal/conv"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// RowSettings say which rows LayerRows takes from the factors of gradients.
type RowSettings struct {
	// Examples is the number of examples b' in the batch.
	Examples int
	// Positions bounds the rows of one example, where a layer has more: the positions
	// of a convolution, the elements of a sequence. So many are drawn at random, with
	// repetition, if there are more.
	Positions int
	// Noise and Stream decide which. Noise may be nil where none are drawn.
	Noise  *Random
	Stream uint64
}

// RowFactors is one use of a weight matrix, and the side of it that is wanted.
type RowFactors struct {
	Factors
	// Gradients asks for the rows of S, not for those of A.
	Gradients bool
	// BiasRow gives rows of A an element behind the inputs: that of the bias, 0 where
	// the use has no bias.
	BiasRow bool
}

// LayerRows has the rows of one side of a weight matrix, n×width, with one factor for
// each of its uses, one below the other: inputs x of the layer, with the 1 of the
// bias, or gradients z by its pre-activations. For the same settings and uses both
// sides take the same rows. The inputs are scaled so that
//
//	1/n Σ_i x_i x_iᵀ ⊗ z_i z_iᵀ = 1/b' Σ_r a_r a_rᵀ ⊗ s_r s_rᵀ
//
// in expectation, where r counts all rows of all uses: of an image those of all
// positions, whose cross terms are left out as in KFC (Grosse and Martens 2016). So
// those of one use with one row an example stay as they are, and drawn positions are
// scaled by the root of their number in an image. Patches are gathered where they are
// drawn and nowhere else. It has no gradient.
func LayerRows(uses []RowFactors, s RowSettings) (*gorgonia.Node, error) {
	parts, total := make([]rowPart, len(uses)), 0
	var in gorgonia.Nodes
	for i, u := range uses {
		p, err := newRowPart(u, s)
		if err != nil {
			return nil, errors.WithMessagef(err, "apoops: rows: use %d", i)
		}
		p.first, p.operand = total, len(in)
		total += p.count
		parts[i] = p
		in = append(in, p.nodes...)
	}
	for i := range parts {
		p := &parts[i]
		p.scale = math.Sqrt(float64(p.group*p.groups) / float64(s.Examples) * float64(total) / float64(p.count))
	}
	return applyFloat(&layerRows[float32]{parts: parts, rows: s}, &layerRows[float64]{parts: parts, rows: s}, in...)
}

// rowPart is one use's share of LayerRows. Its layer has groups·group rows; of each
// group each are drawn, or all taken where that is group.
type rowPart struct {
	RowFactors
	nodes               gorgonia.Nodes
	groups, group, each int
	first, count        int // of the rows of the result
	operand             int // number of its first operand
	width               int
	scale               float64 // of inputs
	shape               tensor.Shape
}

func newRowPart(u RowFactors, s RowSettings) (p rowPart, err error) {
	if u.A == nil || u.S == nil || s.Examples < 1 {
		return p, errors.New("no inputs, gradients or examples")
	}
	p = rowPart{RowFactors: u, nodes: gorgonia.Nodes{u.A}, shape: u.A.Shape().Clone()}
	if err := p.check(); err != nil {
		return p, err
	}
	all := u.S.Shape()[0]
	p.width = u.A.Shape()[1] + extraRow(u.BiasRow)
	if u.Conv != nil {
		all *= u.S.Shape()[2] * u.S.Shape()[3]
		p.width = u.A.Shape()[1]*u.Conv.Kernel[0]*u.Conv.Kernel[1] + extraRow(u.BiasRow)
	}
	if u.Gradients {
		p.width, p.nodes, p.shape = u.S.Shape()[1], gorgonia.Nodes{u.S}, u.S.Shape().Clone()
		if u.Y != nil {
			p.nodes = append(p.nodes, u.Y)
		}
	}
	p.groups, p.group, p.each = 1, all, all
	if all%s.Examples == 0 {
		p.groups, p.group = s.Examples, all/s.Examples
		p.each = min(p.group, max(1, s.Positions))
	}
	p.count = p.groups * p.each
	if p.each < p.group && s.Noise == nil {
		return p, errors.New("rows are drawn, and noise is nil")
	}
	return p, nil
}

// check reports factors that do not fit one another.
func (p *rowPart) check() error {
	a, s := p.A.Shape(), p.S.Shape()
	switch {
	case p.Conv != nil:
		if err := p.Conv.check(a); err != nil {
			return err
		}
		oh, ow := p.Conv.OutSize(a[2], a[3])
		if s.Dims() != 4 || s[0] != a[0] || s[2] != oh || s[3] != ow {
			return ErrShape.Errorf("a has shape %v, s %v", a, s)
		}
	case a.Dims() != 2 || s.Dims() != 2 || a[0] != s[0]:
		return ErrShape.Errorf("a has shape %v, s %v", a, s)
	}
	return nil
}

// end is the number of rows up to those of this use, these included.
func (p *rowPart) end() int { return p.first + p.count }

// layerRows is the kernel of LayerRows.
type layerRows[T Float] struct {
	noGradient[T]
	parts   []rowPart
	rows    RowSettings
	patches []*conv.Patches // of the parts that are inputs of a convolution
	a       *args[T]
	key     uint64
	body    func(lo, hi int)
}

func (k *layerRows[T]) name() string {
	return fmt.Sprintf("layerRows(%d, %d)", k.rows.Positions, k.rows.Stream)
}
func (k *layerRows[T]) clone() kernel[T] { return &layerRows[T]{parts: k.parts, rows: k.rows} }

func (k *layerRows[T]) infer([]tensor.Shape) (tensor.Shape, error) {
	last := k.parts[len(k.parts)-1]
	for i, p := range k.parts {
		if p.width != last.width {
			return nil, errors.Errorf("use %d has rows of %d elements, the last one of %d", i, p.width, last.width)
		}
	}
	return tensor.Shape{last.end(), last.width}, nil
}

func (k *layerRows[T]) run(a *args[T]) error {
	if k.body == nil {
		k.body, k.patches = k.gather, make([]*conv.Patches, len(k.parts))
		for i, p := range k.parts {
			if p.Conv != nil && !p.Gradients {
				k.patches[i] = conv.NewPatches(p.Conv.geometry(), p.shape)
			}
		}
	}
	k.a = a
	if k.rows.Noise != nil {
		k.key = k.rows.Noise.key(k.rows.Stream) + uint64(k.rows.Noise.before(k.parts[len(k.parts)-1].end()))*simd.Golden
	}
	last := k.parts[len(k.parts)-1]
	par.For(last.end(), par.RowGrain(last.width), k.body)
	return nil
}

// gather makes the rows [lo, hi) of the result.
func (k *layerRows[T]) gather(lo, hi int) {
	part := 0
	for i := lo; i < hi; i++ {
		for i >= k.parts[part].first+k.parts[part].count {
			part++
		}
		p := &k.parts[part]
		row := i - p.first
		if p.each < p.group {
			drawn, _ := bits.Mul64(simd.Scramble(k.key+uint64(i)*simd.Golden), uint64(p.group))
			row = row/p.each*p.group + int(drawn)
		}
		dst := k.a.out[i*p.width : (i+1)*p.width]
		if p.Gradients {
			k.gradients(p, dst, row)
		} else {
			k.inputs(p, k.patches[part], dst, row)
		}
	}
}

// inputs makes the given row of a layer's inputs.
func (k *layerRows[T]) inputs(p *rowPart, patches *conv.Patches, dst []T, row int) {
	a, n := k.a.in[p.operand], p.width-extraRow(p.BiasRow)
	if patches != nil {
		conv.Patch(patches, dst[:n], a, row/patches.Positions, row%patches.Positions)
	} else {
		copy(dst[:n], a[row*n:])
	}
	if p.BiasRow {
		dst[n] = T(extraRow(p.Bias))
	}
	if p.scale == 1 {
		return
	}
	for j := range dst {
		dst[j] *= T(p.scale)
	}
}

// gradients makes the given row of the gradients by a layer's pre-activations.
func (k *layerRows[T]) gradients(p *rowPart, dst []T, row int) {
	s, m := k.a.in[p.operand], p.width
	if p.Conv == nil {
		copy(dst, s[row*m:])
		return
	}
	positions := p.shape[2] * p.shape[3]
	at := row/positions*m*positions + row%positions
	pick := func(dst, from []T) {
		for j := range dst {
			dst[j] = from[at+j*positions]
		}
	}
	pick(dst, s)
	if p.Y == nil {
		return
	}
	y := scratch.Get[T](m)
	pick(y, k.a.in[p.operand+1])
	backward(p.Conv.Activation, dst, y, dst)
	scratch.Put(y)
}

// JointRows has the rows of all members, first to last: total rows, of which those of x
// begin in each run at the one that first gives, multiplied by the number w. It has no gradient.
// Rows that are not among the total are an error of the run, as of the graph.
func JointRows(comm collective.Communicator, x, w *gorgonia.Node, first func() int, total int) (*gorgonia.Node, error) {
	return applyFloat(&jointRows[float32]{comm: comm, first: first, total: total}, &jointRows[float64]{comm: comm, first: first, total: total}, x, w)
}

type jointRows[T Float] struct {
	noGradient[T]
	comm  collective.Communicator
	first func() int
	total int
}

func (k *jointRows[T]) name() string             { return "jointRows" }
func (k *jointRows[T]) isExact()                 {}
func (k *jointRows[T]) joins(s tensor.Shape) int { return s.TotalSize() }

func (k *jointRows[T]) clone() kernel[T] {
	return &jointRows[T]{comm: k.comm, first: k.first, total: k.total}
}

func (k *jointRows[T]) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[1].TotalSize() > 1 {
		return nil, ErrShape.Errorf("the weight has shape %v", in[1])
	}
	if first := k.first(); in[0].Dims() == 0 || first < 0 || first+in[0][0] > k.total {
		return nil, ErrShape.Errorf("rows of shape %v from %d on among %d", in[0], first, k.total)
	}
	shape := in[0].Clone()
	shape[0] = k.total
	return shape, nil
}

func (k *jointRows[T]) run(a *args[T]) error {
	each := len(a.out) / k.total
	first, rows := k.first(), len(a.in[0])/each
	if first < 0 || first+rows > k.total {
		return ErrShape.Errorf("rows %d to %d among %d", first, first+rows-1, k.total)
	}
	clear(a.out)
	y, w := a.out[first*each:], a.in[1][0]
	for i, v := range a.in[0] {
		y[i] = w * v
	}
	return errors.WithMessage(collective.Sum(k.comm, a.out), "a sum over all members")
}
