package dnn

// cut is how a batch is cut, by the shape alone.
type cut struct {
	images int // of a piece
	groups int // of pieces whose gradients for the weights are added up one after another
}

// pieces is the number of pieces of n images.
func (c cut) pieces(n int) int { return (n + c.images - 1) / c.images }

func (s Shape) cut() cut {
	const target = 1 << 18 // elements of x and y of a piece
	n := min(max(target/(s.image()+s.output()), 1), s.N)
	c := cut{images: n}
	c.groups = min(c.pieces(s.N), 8)
	return c
}
