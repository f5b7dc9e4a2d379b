package dnn

import "unsafe"

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

// take returns an idle lane or a new one.
func (c *Convolution[E]) take() (*lane, error) {
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

func (c *Convolution[E]) bindAll(p *plan) (*bindings, error) {
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
func (c *Convolution[E]) piece(l *lane, i int) (p *plan, b *bindings, x, y [2]int) {
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
func (c *Convolution[E]) copyWeights(k *kernel, b *binding, w []E, block []byte) (unsafe.Pointer, error) {
	if k == nil {
		return address(w), nil
	}
	c.copies.single()
	defer c.copies.restore()
	to := address(part(&block, k.slot(argDst).bytes))
	return to, c.copies.run(b, block, address(w), to)
}

// copied is the memory that a copy needs.
func copied(k *kernel) int {
	if k == nil {
		return 0
	}
	return align(k.slot(argDst).bytes)
}

// in copies a plain piece to a kernel's layout, at the front of the block.
func (l *lane) in(k *kernel, b *binding, plain unsafe.Pointer, block *[]byte) (unsafe.Pointer, error) {
	if k == nil {
		return plain, nil
	}
	to := address(part(block, k.slot(argDst).bytes))
	return to, l.run(b, *block, plain, to)
}

// room is where a kernel writes: to the plain piece, or to the block.
func room(k *kernel, plain unsafe.Pointer, block *[]byte) unsafe.Pointer {
	if k == nil {
		return plain
	}
	return address(part(block, k.slot(argSrc).bytes))
}

// out copies what a kernel wrote to the plain piece.
func (l *lane) out(k *kernel, b *binding, from, plain unsafe.Pointer, block []byte) error {
	if k == nil {
		return nil
	}
	return l.run(b, block, from, plain)
}
