package dnn

import (
	"unsafe"

	"github.com/apo-gorgonia/apo/apoops/blas"
	"github.com/apo-gorgonia/apo/apoops/par"
)

// Backward computes the gradients dx, dw and db from dy, those of them that are
// not nil. It reads y where there is an activation, w where dx and x where dw is
// wanted; db comes with dw only.
func (c *Convolution[E]) Backward(x, w, y, dy, dx []E, dw, db []float32) error {
	s := c.shape
	if err := c.begin(given("x", x, s.N*s.image(), dw == nil), given("w", w, s.rows()*s.Out, dx == nil),
		given("y", y, s.N*s.output(), c.act.Grad == nil), given("dy", dy, s.N*s.output(), false), given("dx", dx, s.N*s.image(), true),
		given("dw", dw, s.rows()*s.Out, true), given("db", db, s.Out, true)); err != nil {
		return err
	}
	c.x, c.y, c.dy, c.dx, c.dw, c.db = x, y, dy, dx, dw, db
	var room int
	if dx != nil {
		room = copied(c.weightsData) + align(c.weightsData.scratch())
	}
	if dw != nil {
		room += bytes[float32](c.groups*c.sum()) + align(c.weightsBack.scratch())
	}
	block := borrow(room + line)
	defer giveBack(block)
	rest := block
	if dw != nil {
		c.sums = elements[float32](part(&rest, bytes[float32](c.groups*c.sum())))
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

// sum is the length of one group's dw and db; db begins at element dwRoom.
func (c *Convolution[E]) sum() int { return c.dwRoom() + align(bytes[float32](c.shape.Out))/4 }

func (c *Convolution[E]) dwRoom() int { return align(c.main.weights.slot(argDiffWeights).bytes) / 4 }

// addGroups adds up elements lo to hi of the groups' sums, in the groups' order.
func (c *Convolution[E]) addGroups(lo, hi int) {
	for g := 1; g < c.groups; g++ {
		blas.Axpy(1, c.sums[g*c.sum()+lo:g*c.sum()+hi], c.sums[lo:hi])
	}
}

func (c *Convolution[E]) copyBack(block []byte) error {
	dw := c.sums[:c.main.weights.slot(argDiffWeights).bytes/4]
	if c.db != nil {
		copy(c.db, c.sums[c.dwRoom():])
	}
	if c.weightsBack == nil {
		copy(c.dw, dw)
		return nil
	}
	c.copies.single()
	defer c.copies.restore()
	return c.copies.run(c.copies.back, block, address(dw), address(c.dw))
}

// backwardRoom is the memory that backwardPiece needs for the gradients that are wanted,
// with dz bytes for dz and sum for the sums of a piece that is not the first of its group.
func (p *plan) backwardRoom(dx, dw bool, dz, sum int) int {
	var e extent
	if dx {
		e.derivative(p.dyData, dz)
		e.touch(p.dx.source() + max(p.data.scratch(), p.dx.scratch()))
	}
	if dw {
		if !dx || !p.sameDY {
			e.derivative(p.dyW, dz)
		}
		e.touch(copied(p.xW) + p.xW.scratch())
		e.keep(copied(p.xW))
		e.touch(align(sum) + p.weights.scratch())
	}
	return e.most + line
}

// extent is how much of a block is in use, and the most that ever was, in bytes.
type extent struct{ now, most int }

// keep takes n bytes that stay in use.
func (e *extent) keep(n int) {
	e.touch(n)
	e.now += n
}

// touch takes n bytes that are free again at once.
func (e *extent) touch(n int) { e.most = max(e.most, e.now+n) }

// derivative takes the memory of Convolution.derivative, with dz bytes for dz.
func (e *extent) derivative(k *kernel, dz int) {
	if k == nil {
		e.keep(align(dz))
		return
	}
	e.touch(copied(k) + align(dz) + k.scratch())
	e.keep(copied(k))
}

// backwardGroup computes the gradients of a group of pieces, one after another.
func (c *Convolution[E]) backwardGroup(l *lane, g int) error {
	pieces := c.pieces(c.shape.N)
	first, last := g*pieces/c.groups, (g+1)*pieces/c.groups
	var dz, sum int
	if c.act.Grad != nil {
		dz = bytes[E](c.images * c.shape.output())
	}
	if last-first > 1 {
		sum = bytes[float32](c.sum())
	}
	room := c.main.backwardRoom(c.dx != nil, c.dw != nil, dz, sum)
	if c.tail != nil && last == pieces {
		room = max(room, c.tail.backwardRoom(c.dx != nil, c.dw != nil, dz, sum))
	}
	block := borrow(room)
	defer giveBack(block)
	for i := first; i < last; i++ {
		if err := c.backwardPiece(l, i, g, i == first, block); err != nil {
			return err
		}
	}
	return nil
}

func (c *Convolution[E]) backwardPiece(l *lane, i, g int, first bool, block []byte) error {
	p, b, xr, yr := c.piece(l, i)
	var dy unsafe.Pointer
	var err error
	if c.dx != nil {
		if dy, err = c.derivative(l, p.dyData, b.dyData, yr, &block); err != nil {
			return err
		}
		rest := block
		to := address(c.dx[xr[0]:xr[1]])
		dx := room(p.dx, to, &rest)
		if err = l.run(b.data, rest, dy, c.w, dx); err != nil {
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
		if dy, err = c.derivative(l, p.dyW, b.dyW, yr, &block); err != nil {
			return err
		}
	}
	x, err := l.in(p.xW, b.xW, address(c.x[xr[0]:xr[1]]), &block)
	if err != nil {
		return err
	}
	sums := c.sums[g*c.sum():][:c.sum()]
	to := sums
	if !first {
		to = elements[float32](part(&block, bytes[float32](len(sums))))
	}
	dw, db := to, to[c.dwRoom():]
	if err = l.run(b.weights, block, x, dy, address(dw), address(db)); err != nil {
		return err
	}
	if !first {
		blas.Axpy(1, to, sums)
	}
	return nil
}

// derivative is the gradient by the convolution before its activation, of the elements yr
// of y, in a kernel's layout. It is kept at the front of the block, if it is not dy itself.
func (c *Convolution[E]) derivative(l *lane, k *kernel, b *binding, yr [2]int, block *[]byte) (unsafe.Pointer, error) {
	plain := c.dy[yr[0]:yr[1]]
	if c.act.Grad == nil {
		return l.in(k, b, address(plain), block)
	}
	var to unsafe.Pointer
	if k != nil {
		to = address(part(block, k.slot(argDst).bytes))
	}
	rest := *block
	dz := elements[E](part(&rest, bytes[E](len(plain))))
	c.act.Grad(dz, c.y[yr[0]:yr[1]], plain)
	if k == nil {
		*block = rest
		return address(dz), nil
	}
	return to, l.run(b, rest, address(dz), to)
}
