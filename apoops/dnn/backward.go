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
	return c.copies.run(c.copies.back, address(dw), address(c.dw), address(block))
}

// backwardRoom is the memory of a piece, with dz bytes for dz.
func (p *plan) backwardRoom(sum, dz int) int {
	n := align(dz) + max(p.data.scratch(), p.weights.scratch(), p.dx.scratch(), p.dyData.scratch(), p.xW.scratch(), p.dyW.scratch()) + bytes[float32](sum)
	for _, k := range []*kernel{p.xW, p.dyW, p.dyData} {
		n += copied(k)
	}
	if p.dx != nil {
		n += align(p.dx.slot(argSrc).bytes)
	}
	return n + line
}

// backwardGroup computes the gradients of a group of pieces, one after another.
func (c *Convolution[E]) backwardGroup(l *lane, g int) error {
	pieces := c.pieces(c.shape.N)
	first, last := g*pieces/c.groups, (g+1)*pieces/c.groups
	dz := 0
	if c.act.Grad != nil {
		dz = bytes[E](c.images * c.shape.output())
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

func (c *Convolution[E]) backwardPiece(l *lane, i, g int, first bool, block []byte) error {
	p, b, xr, yr := c.piece(l, i)
	plain := c.dy[yr[0]:yr[1]]
	if c.act.Grad != nil {
		dz := elements[E](part(&block, bytes[E](len(plain))))
		c.act.Grad(dz, c.y[yr[0]:yr[1]], plain)
		plain = dz
	}
	var dy unsafe.Pointer
	var err error
	if c.dx != nil {
		if dy, err = l.in(p.dyData, b.dyData, address(plain), &block); err != nil {
			return err
		}
		rest := block
		to := address(c.dx[xr[0]:xr[1]])
		dx := room(p.dx, to, &rest)
		if err = l.run(b.data, dy, c.w, dx, address(rest)); err != nil {
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
		if dy, err = l.in(p.dyW, b.dyW, address(plain), &block); err != nil {
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
	if err = l.run(b.weights, x, dy, address(dw), address(db), address(block)); err != nil {
		return err
	}
	if !first {
		blas.Axpy(1, to, sums)
	}
	return nil
}
