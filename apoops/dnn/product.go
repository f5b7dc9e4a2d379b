package dnn

import (
	"runtime"
	"sync"

	"github.com/pkg/errors"
)

// Matrix is the layout of an operand of a product: Rows×Cols elements with rows
// that begin Stride elements apart, or the transpose of such a matrix.
type Matrix struct {
	Rows, Cols, Stride int
	Transposed         bool
}

// size is the operand's, after transposition.
func (m Matrix) size() (rows, cols int) {
	if m.Transposed {
		return m.Cols, m.Rows
	}
	return m.Rows, m.Cols
}

// elements is the length of the slice that holds the matrix.
func (m Matrix) elements() int { return (m.Rows-1)*m.Stride + m.Cols }

func (m Matrix) check(name string) error {
	if m.Rows < 1 || m.Cols < 1 || m.Stride < m.Cols {
		return errors.Errorf("dnn: product: %s is %d×%d with rows %d apart", name, m.Rows, m.Cols, m.Stride)
	}
	return nil
}

// Product computes C = A·B or C += A·B on the calling goroutine, of A and B with
// elements In and C with elements Out. Package blas does so for float32; where matrices
// are small oneDNN is often faster. Goroutines may use a product at once.
type Product[In, Out Element] struct {
	*handles
	cleanup runtime.Cleanup
	kernel  *kernel
	need    [3]int // elements of A, B and C
	mu      sync.Mutex
	idle    []*productLane
}

type productLane struct {
	*worker
	*binding
}

// NewProduct compiles a product of these layouts; add is for C += A·B. C must
// not be transposed, and must be of float32 where A and B are. See BFloat16 for where
// products of uint16 are an error.
func NewProduct[In, Out Element](a, b, c Matrix, add bool) (*Product[In, Out], error) {
	sel := selected()
	if sel.err != nil {
		return nil, sel.err
	}
	switch {
	case low[In]():
		if err := BFloat16(); err != nil {
			return nil, err
		}
	case low[Out]():
		return nil, errors.New("dnn: product: a result of bfloat16 needs operands of bfloat16")
	}
	m, k := a.size()
	l, n := b.size()
	if err := a.check("A"); err != nil {
		return nil, err
	}
	if err := b.check("B"); err != nil {
		return nil, err
	}
	if err := c.check("C"); err != nil {
		return nil, err
	}
	if k != l || c.Rows != m || c.Cols != n || c.Transposed {
		return nil, errors.Errorf("dnn: product: %+v times %+v is not %+v", a, b, c)
	}
	p := &Product[In, Out]{handles: &handles{lib: sel.lib}, need: [3]int{a.elements(), b.elements(), c.elements()}}
	if err := p.compile(a, b, c, add); err != nil {
		p.destroy()
		return nil, errors.WithMessagef(err, "dnn: product of %+v and %+v", a, b)
	}
	p.cleanup = runtime.AddCleanup(p, (*handles).destroy, p.handles)
	return p, nil
}

func (p *Product[In, Out]) compile(a, b, c Matrix, add bool) error {
	w, err := p.worker()
	if err != nil {
		return err
	}
	w.single()
	defer w.restore()
	attr, err := p.attributes(add)
	if err != nil {
		return err
	}
	defer p.lib.attrDestroy(attr)
	var l [3]layout
	types := [3]int32{dataType[In](), dataType[In](), dataType[Out]()}
	for i, m := range []Matrix{a, b, c} {
		rows, cols := m.size()
		strides := dims{int64(m.Stride), 1}
		if m.Transposed {
			strides = dims{1, int64(m.Stride)}
		}
		if err := failure("layout", p.lib.layoutByStrides(&l[i], 2, &dims{int64(rows), int64(cols)}, types[i], &strides)); err != nil {
			return err
		}
	}
	op := new(descriptor)
	if err := failure("product", p.lib.matmulInit(op, &l[0], &l[1], nil, &l[2])); err != nil {
		return err
	}
	var desc uintptr
	if err := failure("product", p.lib.descCreate(&desc, op, attr, p.lib.engine, 0)); err != nil {
		return err
	}
	p.kernel, err = p.handles.compile(low[In](), desc, argSrc, argWeights, argDst)
	return err
}

// attributes selects scratch memory of the caller and, for add, the sum.
func (p *Product[In, Out]) attributes(add bool) (attr uintptr, err error) {
	if err := failure("attributes", p.lib.attrCreate(&attr)); err != nil {
		return 0, err
	}
	if err := failure("attributes", p.lib.attrSetScratchpad(attr, scratchpadUser)); err != nil || !add {
		return attr, err
	}
	var ops uintptr
	if err := failure("post-operations", p.lib.postOpsCreate(&ops)); err != nil {
		return attr, err
	}
	defer p.lib.postOpsDestroy(ops)
	if err := failure("post-operations", p.lib.postOpsAdd(ops, 1)); err != nil {
		return attr, err
	}
	return attr, failure("post-operations", p.lib.attrSetPostOps(attr, ops))
}

// Run computes the product. The slices may be longer than the matrices.
func (p *Product[In, Out]) Run(a, b []In, c []Out) error {
	for i, n := range [3]int{len(a), len(b), len(c)} {
		if n < p.need[i] {
			return errors.Errorf("dnn: product: operand %d has %d elements, needs %d", i, n, p.need[i])
		}
	}
	l, err := p.take()
	if err != nil {
		return err
	}
	scratch := p.kernel.scratch()
	var block []byte
	if scratch > 0 {
		block = borrow(scratch)
	}
	l.single()
	err = l.run(l.binding, block, address(a), address(b), address(c))
	l.restore()
	if scratch > 0 {
		giveBack(block)
	}
	p.mu.Lock()
	p.idle = append(p.idle, l)
	p.mu.Unlock()
	runtime.KeepAlive(a)
	runtime.KeepAlive(b)
	runtime.KeepAlive(c)
	return err
}

func (p *Product[In, Out]) take() (*productLane, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		l := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return l, nil
	}
	if p.closed {
		return nil, errors.New("dnn: the product is closed")
	}
	w, err := p.worker()
	if err != nil {
		return nil, err
	}
	b, err := p.bind(p.kernel)
	return &productLane{w, b}, err
}

// Close gives the library's objects back.
func (p *Product[In, Out]) Close() {
	p.cleanup.Stop()
	p.mu.Lock()
	p.idle = nil
	p.mu.Unlock()
	p.destroy()
}
