package dnn

// cut is how a batch is cut, by the shape and the type of its elements alone.
type cut struct {
	images int // of a piece
	groups int // of pieces whose gradients for the weights are added up one after another
}

// pieces is the number of pieces of n images.
func (c cut) pieces(n int) int { return (n + c.images - 1) / c.images }

// cut is that of elements of so many bytes.
func (s Shape) cut(element int) cut {
	const target = 1 << 20 // bytes of x and y of a piece
	h, w := s.OutSize()
	n := min(max(target/element/(inBlocks(s.C)*s.H*s.W+inBlocks(s.Out)*h*w), 1), s.N)
	c := cut{images: n}
	c.groups = min(c.pieces(s.N), 8)
	return c
}

// inBlocks is the number of channels that kernels work on, whole blocks. The three colours
// of images are read as they lie.
func inBlocks(channels int) int {
	if channels <= 3 {
		return channels
	}
	return (channels + Block - 1) / Block * Block
}
