package dnn

import (
	"runtime"
	"sync"
	"unsafe"

	"github.com/pkg/errors"
)

// Activation is a function of each element of y, computed while a piece is in
// the cache. The zero value is the identity.
type Activation[E Element] struct {
	// Apply replaces each z by y = act(z).
	Apply func(z []E)
	// Grad sets dz = act'(z)·dy, where act' is known from y.
	Grad func(dz, y, dy []E)
}

// Convolution computes y = act(conv(x, w) + b) and its gradients. It must not be
// used by two goroutines at once.
//
// x is N×C×H×W, y N×Out×OH×OW; w is (C·kh·kw)×Out, with rows in the order
// channel, row, column of the patch; b has Out elements. All are of E, but the gradients
// of w and b, which are sums of float32 over the batch.
//
// With Shape.BlockedX or BlockedY the arrays of that side are in blocks of channels;
// results have the same bits.
//
// The batch is cut into pieces by the shape alone. A piece is copied to the
// layout that oneDNN wants, convolved on one core and copied back while it is
// in that core's cache, so the scratch memory is that of a piece for each core,
// and the bits of a result do not depend on the number of cores.
type Convolution[E Element] struct {
	shape Shape
	act   Activation[E]
	*handles
	cleanup runtime.Cleanup
	cut
	main, tail *plan // of whole pieces, and of the last one if it is smaller

	weightsForward, weightsData, weightsBack *kernel // copies of w and dw, nil where plain
	copies                                   struct {
		*worker
		forward, data, back *binding
	}
	zeros []E // a bias that is not given

	mu      sync.Mutex
	idle    []*lane
	failure error

	// Of the running call.
	x, bias, y, dy, dx        []E
	dw, db                    []float32
	w                         unsafe.Pointer // the weights in the layout of a kernel
	sums                      []float32      // of the groups: dw in oneDNN's layout, db
	forwardBody, backwardBody func(lo, hi int)
	addBody                   func(lo, hi int)
}

// NewConvolution compiles a convolution. It fails where the shape makes none or
// where no library is there, and, for uint16, where BFloat16 does.
func NewConvolution[E Element](s Shape, act Activation[E]) (*Convolution[E], error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	sel := selected()
	if sel.err != nil {
		return nil, sel.err
	}
	if low[E]() {
		if err := BFloat16(); err != nil {
			return nil, err
		}
	}
	s = s.dense()
	return newConvolution(sel.lib, s, act, s.cut(bytes[E](1)))
}

func newConvolution[E Element](lib *library, s Shape, act Activation[E], cut cut) (*Convolution[E], error) {
	c := &Convolution[E]{shape: s, act: act, handles: &handles{lib: lib}, cut: cut, zeros: make([]E, s.Out)}
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

func (c *Convolution[E]) compileAll() error {
	var err error
	if c.copies.worker, err = c.worker(); err != nil {
		return err
	}
	c.copies.single()
	defer c.copies.restore()
	b, err := newBuilder(c.handles, c.shape, dataType[E]())
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
	if c.weightsBack, err = b.reorder(b.attr, c.main.weights.of(argDiffWeights), b.dw); err != nil {
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
func (c *Convolution[E]) Close() {
	c.cleanup.Stop()
	c.destroy()
}

// begin checks the operands of a call by name.
func (c *Convolution[E]) begin(operands ...operand) error {
	if c.closed {
		return errors.New("dnn: the convolution is closed")
	}
	for _, o := range operands {
		if o.got != o.want && !(o.optional && o.missing) {
			return errors.Errorf("dnn: %s has %d elements, not %d", o.name, o.got, o.want)
		}
	}
	c.failure = nil
	return nil
}

type operand struct {
	name      string
	got, want int // elements
	missing   bool
	optional  bool
}

func given[E any](name string, data []E, want int, optional bool) operand {
	return operand{name, len(data), want, data == nil, optional}
}

// end forgets the operands.
func (c *Convolution[E]) end() error {
	c.x, c.w, c.bias, c.y, c.dy, c.dx = nil, nil, nil, nil, nil, nil
	c.dw, c.db, c.sums = nil, nil, nil
	return c.failure
}

// each runs f for pieces or groups lo to hi with a lane of its own.
func (c *Convolution[E]) each(lo, hi int, f func(l *lane, i int) error) {
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
