package dnn

import (
	"runtime"
	"sync"
	"unsafe"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Activation is a function of each element of y, computed while a piece is in
// the cache. The zero value is the identity.
type Activation struct {
	// Apply replaces each z by y = act(z).
	Apply func(z []float32)
	// Grad sets dz = act'(z)·dy, where act' is known from y.
	Grad func(dz, y, dy []float32)
}

// Convolution computes y = act(conv(x, w) + b) and its gradients. It must not be
// used by two goroutines at once.
//
// x is N×C×H×W, y N×Out×OH×OW; w is (C·kh·kw)×Out, with rows in the order
// channel, row, column of the patch; b has Out elements.
//
// The batch is cut into pieces by the shape alone. A piece is copied to the
// layout that oneDNN wants, convolved on one core and copied back while it is
// in that core's cache, so the scratch memory is that of a piece for each core,
// and the bits of a result do not depend on the number of cores.
type Convolution struct {
	shape Shape
	act   Activation
	*handles
	cleanup runtime.Cleanup
	cut
	main, tail *plan // of whole pieces, and of the last one if it is smaller

	weightsForward, weightsData, weightsBack *kernel // copies of w and dw, nil where plain
	copies                                   struct {
		*worker
		forward, data, back *binding
	}
	zeros []float32 // a bias that is not given

	mu      sync.Mutex
	idle    []*lane
	failure error

	// Of the running call.
	x, w, bias, y, dy, dx, dw, db []float32
	sums                          []float32 // of the groups: dw in oneDNN's layout, db
	forwardBody, backwardBody     func(lo, hi int)
	addBody                       func(lo, hi int)
}

// lane is what one core needs for a piece.
type lane struct {
	*worker
	main, tail *bindings
}

// bindings is a plan with memory objects.
type bindings struct {
	forward, data, weights    *binding
	x, y, dx, dyData, xW, dyW *binding
}

// NewConvolution compiles a convolution. It fails where the shape makes none or
// where no library is there.
func NewConvolution(s Shape, act Activation) (*Convolution, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	sel := selected()
	if sel.err != nil {
		return nil, sel.err
	}
	s = s.dense()
	return newConvolution(sel.lib, s, act, s.cut())
}

func newConvolution(lib *library, s Shape, act Activation, cut cut) (*Convolution, error) {
	c := &Convolution{shape: s, act: act, handles: &handles{lib: lib}, cut: cut, zeros: make([]float32, s.Out)}
	c.forwardBody = func(lo, hi int) { c.each(lo, hi, c.forwardPiece) }
	c.backwardBody = func(lo, hi int) { c.each(lo, hi, c.backwardGroup) }
	c.addBody = c.addGroups
	if err := c.compileAll(); err != nil {
		c.destroy()
		return nil, errors.WithMessagef(err, "dnn: %+v", s)
	}
	c.cleanup = runtime.AddCleanup(c, (*handles).destroy, c.handles)
	return c, nil
}

func (c *Convolution) compileAll() error {
	var err error
	if c.copies.worker, err = c.worker(); err != nil {
		return err
	}
	c.copies.single()
	defer c.copies.restore()
	b, err := newBuilder(c.handles, c.shape)
	if err != nil {
		return err
	}
	defer b.close()
	if c.main, err = b.plan(c.images); err != nil {
		return err
	}
	if rest := c.shape.N % c.images; rest != 0 {
		if c.tail, err = b.plan(rest); err != nil {
			return err
		}
	}
	if c.weightsForward, err = b.reorder(b.attr, b.w, c.main.forward.of(argWeights)); err != nil {
		return err
	}
	if c.weightsData, err = b.reorder(b.attr, b.w, c.main.data.of(argWeights)); err != nil {
		return err
	}
	if c.weightsBack, err = b.reorder(b.attr, c.main.weights.of(argDiffWeights), b.w); err != nil {
		return err
	}
	if c.tail != nil {
		for _, index := range []int32{argWeights, argDiffWeights} {
			for _, k := range [][2]*kernel{{c.main.forward, c.tail.forward}, {c.main.data, c.tail.data}, {c.main.weights, c.tail.weights}} {
				if l := k[0].of(index); l != nil && c.lib.layoutEqual(l, k[1].of(index)) == 0 {
					return errors.New("the layout of the weights depends on the number of images")
				}
			}
		}
	}
	for _, k := range []struct {
		to   **binding
		from *kernel
	}{{&c.copies.forward, c.weightsForward}, {&c.copies.data, c.weightsData}, {&c.copies.back, c.weightsBack}} {
		if *k.to, err = c.bind(k.from); err != nil {
			return err
		}
	}
	return nil
}

// Close gives the library's objects back at once, not when the garbage
// collector finds them. The convolution cannot be used any more.
func (c *Convolution) Close() {
	c.cleanup.Stop()
	c.destroy()
}

// begin checks the operands of a call by name.
func (c *Convolution) begin(operands ...operand) error {
	if c.closed {
		return errors.New("dnn: the convolution is closed")
	}
	for _, o := range operands {
		if len(o.data) != o.want && !(o.optional && o.data == nil) {
			return errors.Errorf("dnn: %s has %d elements, not %d", o.name, len(o.data), o.want)
		}
	}
	c.failure = nil
	return nil
}

type operand struct {
	name     string
	data     []float32
	want     int
	optional bool
}

// end forgets the operands.
func (c *Convolution) end() error {
	c.x, c.w, c.bias, c.y, c.dy, c.dx, c.dw, c.db, c.sums = nil, nil, nil, nil, nil, nil, nil, nil, nil
	return c.failure
}

// each runs f for pieces or groups lo to hi with a lane of its own.
func (c *Convolution) each(lo, hi int, f func(l *lane, i int) error) {
	l, err := c.take()
	if err == nil {
		l.single()
		for i := lo; i < hi && err == nil; i++ {
			err = f(l, i)
		}
		l.restore()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if l != nil {
		c.idle = append(c.idle, l)
	}
	if err != nil {
		c.failure = err
	}
}

// take returns an idle lane or a new one.
func (c *Convolution) take() (*lane, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.idle); n > 0 {
		l := c.idle[n-1]
		c.idle = c.idle[:n-1]
		return l, nil
	}
	w, err := c.worker()
	if err != nil {
		return nil, err
	}
	l := &lane{worker: w}
	if l.main, err = c.bindAll(c.main); err != nil {
		return nil, err
	}
	l.tail, err = c.bindAll(c.tail)
	return l, err
}

func (c *Convolution) bindAll(p *plan) (*bindings, error) {
	if p == nil {
		return nil, nil
	}
	b := new(bindings)
	for _, k := range []struct {
		to   **binding
		from *kernel
	}{
		{&b.forward, p.forward}, {&b.data, p.data}, {&b.weights, p.weights},
		{&b.x, p.x}, {&b.y, p.y}, {&b.dx, p.dx}, {&b.dyData, p.dyData}, {&b.xW, p.xW}, {&b.dyW, p.dyW},
	} {
		var err error
		if *k.to, err = c.bind(k.from); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// piece is the plan of piece i and its images of x and y.
func (c *Convolution) piece(l *lane, i int) (p *plan, b *bindings, x, y [2]int) {
	lo := i * c.images
	hi := min(lo+c.images, c.shape.N)
	p, b = c.main, l.main
	if hi-lo < c.images {
		p, b = c.tail, l.tail
	}
	in, out := c.shape.image(), c.shape.output()
	return p, b, [2]int{lo * in, hi * in}, [2]int{lo * out, hi * out}
}

// copyWeights copies w to the layout of a kernel, if that is another one.
func (c *Convolution) copyWeights(k *kernel, b *binding, w, block []float32) ([]float32, error) {
	if k == nil {
		return w, nil
	}
	c.copies.single()
	defer c.copies.restore()
	to := part(&block, k.slot(argDst).floats)
	return to, c.copies.run(b, address(w), address(to), address(block))
}

func address(x []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

// copied is the memory that a copy needs.
func copied(k *kernel) int {
	if k == nil {
		return 0
	}
	return align(k.slot(argDst).floats)
}

// in copies a plain piece to a kernel's layout, at the front of the block.
func (l *lane) in(k *kernel, b *binding, plain []float32, block *[]float32) ([]float32, error) {
	if k == nil {
		return plain, nil
	}
	to := part(block, k.slot(argDst).floats)
	return to, l.run(b, address(plain), address(to), address(*block))
}

// room is where a kernel writes: to the plain piece, or to the block.
func room(k *kernel, plain []float32, block *[]float32) []float32 {
	if k == nil {
		return plain
	}
	return part(block, k.slot(argSrc).floats)
}

// out copies what a kernel wrote to the plain piece.
func (l *lane) out(k *kernel, b *binding, from, plain, block []float32) error {
	if k == nil {
		return nil
	}
	return l.run(b, address(from), address(plain), address(block))
}

// Forward computes y. A nil bias is zero.
func (c *Convolution) Forward(x, w, bias, y []float32) error {
	s := c.shape
	if err := c.begin(operand{"x", x, s.N * s.image(), false}, operand{"w", w, s.rows() * s.Out, false},
		operand{"bias", bias, s.Out, true}, operand{"y", y, s.N * s.output(), false}); err != nil {
		return err
	}
	if bias == nil {
		bias = c.zeros
	}
	c.x, c.bias, c.y = x, bias, y
	block := borrow(copied(c.weightsForward) + c.weightsForward.scratch() + line)
	defer giveBack(block)
	var err error
	if c.w, err = c.copyWeights(c.weightsForward, c.copies.forward, w, block); err != nil {
		return err
	}
	par.For(c.pieces(s.N), 1, c.forwardBody)
	return c.end()
}

func (p *plan) forwardRoom() int {
	n := p.forward.scratch()
	if p.x != nil {
		n += align(p.x.slot(argDst).floats)
	}
	if p.y != nil {
		n += align(p.y.slot(argSrc).floats)
	}
	return n + max(p.x.scratch(), p.y.scratch()) + line
}

func (c *Convolution) forwardPiece(l *lane, i int) error {
	p, b, xr, yr := c.piece(l, i)
	block := borrow(p.forwardRoom())
	defer giveBack(block)
	x, err := l.in(p.x, b.x, c.x[xr[0]:xr[1]], &block)
	if err != nil {
		return err
	}
	y := room(p.y, c.y[yr[0]:yr[1]], &block)
	if err := l.run(b.forward, address(x), address(c.w), address(c.bias), address(y), address(block)); err != nil {
		return err
	}
	if err := l.out(p.y, b.y, y, c.y[yr[0]:yr[1]], block); err != nil {
		return err
	}
	if c.act.Apply != nil {
		c.act.Apply(c.y[yr[0]:yr[1]])
	}
	return nil
}

// Backward computes the gradients dx, dw and db from dy, those of them that are
// not nil. It reads y where there is an activation, w where dx and x where dw is
// wanted; db comes with dw only.
func (c *Convolution) Backward(x, w, y, dy, dx, dw, db []float32) error {
	s := c.shape
	if err := c.begin(operand{"x", x, s.N * s.image(), dw == nil}, operand{"w", w, s.rows() * s.Out, dx == nil},
		operand{"y", y, s.N * s.output(), c.act.Grad == nil}, operand{"dy", dy, s.N * s.output(), false}, operand{"dx", dx, s.N * s.image(), true},
		operand{"dw", dw, s.rows() * s.Out, true}, operand{"db", db, s.Out, true}); err != nil {
		return err
	}
	c.x, c.y, c.dy, c.dx, c.dw, c.db = x, y, dy, dx, dw, db
	var room int
	if dx != nil {
		room = copied(c.weightsData) + align(c.weightsData.scratch())
	}
	if dw != nil {
		room += c.groups*c.sum() + align(c.weightsBack.scratch())
	}
	block := borrow(room + line)
	defer giveBack(block)
	rest := block
	if dw != nil {
		c.sums = part(&rest, c.groups*c.sum())
	}
	if dx != nil {
		var err error
		if c.w, err = c.copyWeights(c.weightsData, c.copies.data, w, rest); err != nil {
			return err
		}
	}
	par.For(c.groups, 1, c.backwardBody)
	if dw != nil && c.failure == nil {
		par.For(c.sum(), par.Grain, c.addBody)
		c.failure = c.copyBack(rest)
	}
	return c.end()
}

// sum is the length of one group's dw and db.
func (c *Convolution) sum() int {
	return align(c.main.weights.slot(argDiffWeights).floats) + align(c.shape.Out)
}

// addGroups adds up elements lo to hi of the groups' sums, in the groups' order.
func (c *Convolution) addGroups(lo, hi int) {
	for g := 1; g < c.groups; g++ {
		blas.Axpy(1, c.sums[g*c.sum()+lo:g*c.sum()+hi], c.sums[lo:hi])
	}
}

func (c *Convolution) copyBack(block []float32) error {
	dw := c.sums[:c.main.weights.slot(argDiffWeights).floats]
	if c.db != nil {
		copy(c.db, c.sums[align(len(dw)):])
	}
	if c.weightsBack == nil {
		copy(c.dw, dw)
		return nil
	}
	c.copies.single()
	defer c.copies.restore()
	return c.copies.run(c.copies.back, address(dw), address(c.dw), address(block))
}

func (p *plan) backwardRoom(sum, dz int) int {
	n := align(dz) + max(p.data.scratch(), p.weights.scratch(), p.dx.scratch(), p.dyData.scratch(), p.xW.scratch(), p.dyW.scratch()) + sum
	for _, k := range []*kernel{p.xW, p.dyW, p.dyData} {
		n += copied(k)
	}
	if p.dx != nil {
		n += align(p.dx.slot(argSrc).floats)
	}
	return n + line
}

// backwardGroup computes the gradients of a group of pieces, one after another.
func (c *Convolution) backwardGroup(l *lane, g int) error {
	pieces := c.pieces(c.shape.N)
	first, last := g*pieces/c.groups, (g+1)*pieces/c.groups
	dz := 0
	if c.act.Grad != nil {
		dz = c.images * c.shape.output()
	}
	block := borrow(c.main.backwardRoom(c.sum(), dz))
	defer giveBack(block)
	for i := first; i < last; i++ {
		if err := c.backwardPiece(l, i, g, i == first, block); err != nil {
			return err
		}
	}
	return nil
}

func (c *Convolution) backwardPiece(l *lane, i, g int, first bool, block []float32) error {
	p, b, xr, yr := c.piece(l, i)
	plain := c.dy[yr[0]:yr[1]]
	if c.act.Grad != nil {
		dz := part(&block, len(plain))
		c.act.Grad(dz, c.y[yr[0]:yr[1]], plain)
		plain = dz
	}
	var dy []float32
	var err error
	if c.dx != nil {
		if dy, err = l.in(p.dyData, b.dyData, plain, &block); err != nil {
			return err
		}
		rest := block
		to := c.dx[xr[0]:xr[1]]
		dx := room(p.dx, to, &rest)
		if err = l.run(b.data, address(dy), address(c.w), address(dx), address(rest)); err != nil {
			return err
		}
		if err = l.out(p.dx, b.dx, dx, to, rest); err != nil {
			return err
		}
	}
	if c.dw == nil {
		return nil
	}
	if c.dx == nil || !p.sameDY {
		if dy, err = l.in(p.dyW, b.dyW, plain, &block); err != nil {
			return err
		}
	}
	x, err := l.in(p.xW, b.xW, c.x[xr[0]:xr[1]], &block)
	if err != nil {
		return err
	}
	sums := c.sums[g*c.sum():][:c.sum()]
	to := sums
	if !first {
		to = part(&block, len(sums))
	}
	dw, db := to, to[align(p.weights.slot(argDiffWeights).floats):]
	if err = l.run(b.weights, address(x), address(dy), address(dw), address(db), address(block)); err != nil {
		return err
	}
	if !first {
		blas.Axpy(1, to, sums)
	}
	return nil
}
