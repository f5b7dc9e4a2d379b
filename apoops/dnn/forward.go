package dnn

import "github.com/apo-gorgonia/apo/apoops/par"

// Forward computes y. A nil bias is zero.
func (c *Convolution[E]) Forward(x, w, bias, y []E) error {
	s := c.shape
	if err := c.begin(given("x", x, s.N*s.image(), false), given("w", w, s.rows()*s.Out, false),
		given("bias", bias, s.Out, true), given("y", y, s.N*s.output(), false)); err != nil {
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
	return copied(p.x) + p.y.source() + max(p.forward.scratch(), p.x.scratch(), p.y.scratch()) + line
}

func (c *Convolution[E]) forwardPiece(l *lane, i int) error {
	p, b, xr, yr := c.piece(l, i)
	block := borrow(p.forwardRoom())
	defer giveBack(block)
	x, err := l.in(p.x, b.x, address(c.x[xr[0]:xr[1]]), &block)
	if err != nil {
		return err
	}
	to := c.y[yr[0]:yr[1]]
	y := room(p.y, address(to), &block)
	if err := l.run(b.forward, block, x, c.w, address(c.bias), y); err != nil {
		return err
	}
	if err := l.out(p.y, b.y, y, address(to), block); err != nil {
		return err
	}
	if c.act.Apply != nil {
		c.act.Apply(to)
	}
	return nil
}
