package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/internal/scratch"
)

// unblocked computes with plain copies of images that are in blocks.
type unblocked[T Float] struct {
	plain Engine[T]
	x, y  images
}

func newUnblocked[T Float](g Geometry, x []int, outputs int) *unblocked[T] {
	oh, ow := g.OutSize(x[2], x[3])
	k := &unblocked[T]{
		x: images{n: x[0], c: x[1], positions: x[2] * x[3], blocked: g.BlockedX},
		y: images{n: x[0], c: outputs, positions: oh * ow, blocked: g.BlockedY},
	}
	g.BlockedX, g.BlockedY = false, false
	k.plain = newIm2col[T](g, x, outputs)
	return k
}

// images are n images of c channels, in blocks or not.
type images struct {
	n, c, positions int
	blocked         bool
}

// each calls f with the places of every element in the plain array and in that of blocks.
func (m images) each(f func(plain, block int)) {
	const b = dnn.Block
	for i := range m.n * m.c {
		image, channel := i/m.c, i%m.c
		to := (image*m.c + channel/b*b) * m.positions
		for j := range m.positions {
			f(i*m.positions+j, to+j*b+channel%b)
		}
	}
}

// read returns a plain copy of x, which put gives back; x itself where it is plain.
func read[T Float](m images, x []T) []T {
	if !m.blocked || x == nil {
		return x
	}
	to := scratch.Get[T](len(x))
	m.each(func(plain, block int) { to[plain] = x[block] })
	return to
}

func put[T Float](m images, copied []T) {
	if m.blocked && copied != nil {
		scratch.Put(copied)
	}
}

// write has f compute a plain array and copies it to dst.
func write[T Float](m images, dst []T, f func(plain []T) error) error {
	if !m.blocked {
		return f(dst)
	}
	from := scratch.Get[T](len(dst))
	defer scratch.Put(from)
	err := f(from)
	m.each(func(plain, block int) { dst[block] = from[plain] })
	return err
}

func (k *unblocked[T]) Forward(x, w, y []T) error {
	x = read(k.x, x)
	defer put(k.x, x)
	return write(k.y, y, func(y []T) error { return k.plain.Forward(x, w, y) })
}

func (k *unblocked[T]) GradX(dy, y, w, dx []T) error {
	dy, y = read(k.y, dy), read(k.y, y)
	defer put(k.y, dy)
	defer put(k.y, y)
	return write(k.x, dx, func(dx []T) error { return k.plain.GradX(dy, y, w, dx) })
}

func (k *unblocked[T]) GradW(x, dy, y, dw []T) error {
	x, dy, y = read(k.x, x), read(k.y, dy), read(k.y, y)
	defer put(k.x, x)
	defer put(k.y, dy)
	defer put(k.y, y)
	return k.plain.GradW(x, dy, y, dw)
}
