package dnn

import (
	"strings"
	"sync"

	"github.com/pkg/errors"
)

// handles are the objects of the library that a convolution owns.
type handles struct {
	lib                        *library
	mu                         sync.Mutex
	closed                     bool
	primitives, memory, stream []uintptr
}

// destroy gives all of them back; a second call does nothing.
func (h *handles) destroy() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, p := range h.primitives {
		h.lib.primitiveDestroy(p)
	}
	for _, m := range h.memory {
		h.lib.memoryDestroy(m)
	}
	for _, s := range h.stream {
		h.lib.streamDestroy(s)
	}
	h.primitives, h.memory, h.stream = nil, nil, nil
}

// bind makes memory objects for a kernel; nil has none.
func (h *handles) bind(k *kernel) (*binding, error) {
	if k == nil {
		return nil, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	b := &binding{primitive: k.primitive, scratch: k.scratch()}
	for _, s := range k.slots {
		var m uintptr
		if err := failure("memory", h.lib.memoryCreate(&m, s.layout, h.lib.engine, 0)); err != nil {
			return nil, err
		}
		h.memory = append(h.memory, m)
		b.args = append(b.args, argument{index: s.index, memory: m})
	}
	return b, nil
}

func (h *handles) worker() (*worker, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &worker{lib: h.lib}
	if err := failure("stream", h.lib.streamCreate(&w.stream, h.lib.engine, streamDefault)); err != nil {
		return nil, err
	}
	h.stream = append(h.stream, w.stream)
	return w, nil
}

// compile makes a kernel of a primitive descriptor, which it gives back, and of
// the indexes of its arguments. The last argument, scratch memory, is added. It refuses
// oneDNN's reference implementations where fast is set: they are loops over elements.
func (h *handles) compile(fast bool, desc uintptr, arguments ...int32) (*kernel, error) {
	defer h.lib.descDestroy(desc)
	if name := h.lib.implementation(desc); fast && strings.HasPrefix(name, "ref") {
		return nil, errors.Errorf("oneDNN has nothing but its reference implementation (%s)", name)
	}
	k := new(kernel)
	for _, index := range append(arguments, argScratchpad) {
		l := new(layout)
		if p := h.lib.descLayout(desc, queryArgument, index); p != nil {
			*l = *p
		}
		k.slots = append(k.slots, slot{index, l, int(h.lib.layoutSize(l))})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := failure("primitive", h.lib.primitiveCreate(&k.primitive, desc)); err != nil {
		return nil, err
	}
	h.primitives = append(h.primitives, k.primitive)
	return k, nil
}

// reorder makes the kernel that copies from one layout to another, nil where they
// are the same.
func (h *handles) reorder(attr uintptr, from, to *layout) (*kernel, error) {
	if h.lib.layoutEqual(from, to) != 0 {
		return nil, nil
	}
	var desc uintptr
	if err := failure("reorder", h.lib.reorderDescCreate(&desc, from, h.lib.engine, to, h.lib.engine, attr)); err != nil {
		return nil, err
	}
	return h.compile(false, desc, argSrc, argDst)
}

// plan is what is compiled for a number of images.
type plan struct {
	images                 int
	forward, data, weights *kernel
	// Copies between the layouts of the operands and those the kernels want, nil where
	// they are the same.
	x, y       *kernel // of the forward kernel
	dx, dyData *kernel // of the backward kernel for the data
	xW, dyW    *kernel // of the backward kernel for the weights
	sameDY     bool    // both backward kernels want dy in the same layout
}

// builder holds what the kernels of one convolution are made of.
type builder struct {
	*handles
	shape                      Shape
	element                    int32 // the type of all but dw and db
	stride, dilation, pad      dims
	attr                       uintptr // scratch memory is the caller's
	anyW, w, bias              *layout // w is the plain one
	anyDW, dw, db              *layout // of float32
	anyX, anyY, givenX, givenY *layout
}

func (b *builder) tagged(size dims, n, element, tag int32) (*layout, error) {
	l := new(layout)
	return l, failure("layout", b.lib.layoutByTag(l, n, &size, element, tag))
}

func (b *builder) strided(size dims, element int32, strides dims) (*layout, error) {
	l := new(layout)
	return l, failure("layout", b.lib.layoutByStrides(l, 4, &size, element, &strides))
}

func newBuilder(h *handles, s Shape, element int32) (b *builder, err error) {
	b = &builder{handles: h, shape: s, element: element}
	for i := range 2 {
		b.stride[i], b.dilation[i], b.pad[i] = int64(s.Stride[i]), int64(s.Dilation[i]-1), int64(s.Pad[i])
	}
	kh, kw, out := int64(s.Kernel[0]), int64(s.Kernel[1]), int64(s.Out)
	size := dims{out, int64(s.C), kh, kw}
	for _, l := range []struct {
		element          int32
		any, plain, bias **layout
	}{{element, &b.anyW, &b.w, &b.bias}, {float32Type, &b.anyDW, &b.dw, &b.db}} {
		if *l.any, err = b.tagged(size, 4, l.element, tagAny); err != nil {
			return nil, err
		}
		if *l.plain, err = b.strided(size, l.element, dims{1, kh * kw * out, kw * out, out}); err != nil {
			return nil, err
		}
		if *l.bias, err = b.tagged(dims{out}, 1, l.element, tagVector); err != nil {
			return nil, err
		}
	}
	if err = failure("attributes", b.lib.attrCreate(&b.attr)); err != nil {
		return nil, err
	}
	return b, failure("attributes", b.lib.attrSetScratchpad(b.attr, scratchpadUser))
}

func (b *builder) close() { b.lib.attrDestroy(b.attr) }

// layouts describes n images of x and y.
func (b *builder) layouts(n int) (err error) {
	s := b.shape
	oh, ow := s.OutSize()
	x := dims{int64(n), int64(s.C), int64(s.H), int64(s.W)}
	y := dims{int64(n), int64(s.Out), int64(oh), int64(ow)}
	for _, l := range []struct {
		size       dims
		any, given **layout
		blocked    bool
	}{{x, &b.anyX, &b.givenX, s.BlockedX}, {y, &b.anyY, &b.givenY, s.BlockedY}} {
		if *l.any, err = b.tagged(l.size, 4, b.element, tagAny); err != nil {
			return err
		}
		d := l.size
		if l.blocked {
			*l.given, err = b.tagged(d, 4, b.element, tagBlocked)
		} else {
			*l.given, err = b.strided(d, b.element, dims{d[1] * d[2] * d[3], d[2] * d[3], d[3], 1})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plan compiles the kernels for n images.
func (b *builder) plan(n int) (*plan, error) {
	if err := b.layouts(n); err != nil {
		return nil, err
	}
	p := &plan{images: n}
	op := new(descriptor)
	var hint, desc uintptr
	if err := failure("forward", b.lib.forwardInit(op, forwardTraining, convolutionDirect, b.anyX, b.anyW, b.bias, b.anyY, &b.stride, &b.dilation, &b.pad, &b.pad)); err != nil {
		return nil, err
	}
	// Twice: the first one is the hint to the backward kernels.
	if err := failure("forward", b.lib.descCreate(&hint, op, b.attr, b.lib.engine, 0)); err != nil {
		return nil, err
	}
	defer b.lib.descDestroy(hint)
	if err := failure("forward", b.lib.descCreate(&desc, op, b.attr, b.lib.engine, 0)); err != nil {
		return nil, err
	}
	var err error
	if p.forward, err = b.compile(b.element != float32Type, desc, argSrc, argWeights, argBias, argDst); err != nil {
		return nil, errors.WithMessage(err, "forward")
	}
	*op = descriptor{}
	if err := failure("backward data", b.lib.backwardDataInit(op, convolutionDirect, b.anyX, b.anyW, b.anyY, &b.stride, &b.dilation, &b.pad, &b.pad)); err != nil {
		return nil, err
	}
	if err := failure("backward data", b.lib.descCreate(&desc, op, b.attr, b.lib.engine, hint)); err != nil {
		return nil, err
	}
	if p.data, err = b.compile(b.element != float32Type, desc, argDiffDst, argWeights, argDiffSrc); err != nil {
		return nil, errors.WithMessage(err, "backward data")
	}
	*op = descriptor{}
	if err := failure("backward weights", b.lib.backwardWeightsInit(op, convolutionDirect, b.anyX, b.anyDW, b.db, b.anyY, &b.stride, &b.dilation, &b.pad, &b.pad)); err != nil {
		return nil, err
	}
	if err := failure("backward weights", b.lib.descCreate(&desc, op, b.attr, b.lib.engine, hint)); err != nil {
		return nil, err
	}
	if p.weights, err = b.compile(b.element != float32Type, desc, argSrc, argDiffDst, argDiffWeights, argDiffBias); err != nil {
		return nil, errors.WithMessage(err, "backward weights")
	}
	for _, r := range []struct {
		kernel   **kernel
		from, to *layout
	}{
		{&p.x, b.givenX, p.forward.of(argSrc)}, {&p.y, p.forward.of(argDst), b.givenY},
		{&p.dx, p.data.of(argDiffSrc), b.givenX}, {&p.dyData, b.givenY, p.data.of(argDiffDst)},
		{&p.xW, b.givenX, p.weights.of(argSrc)}, {&p.dyW, b.givenY, p.weights.of(argDiffDst)},
	} {
		if *r.kernel, err = b.reorder(b.attr, r.from, r.to); err != nil {
			return nil, err
		}
	}
	p.sameDY = b.lib.layoutEqual(p.data.of(argDiffDst), p.weights.of(argDiffDst)) != 0
	return p, nil
}
