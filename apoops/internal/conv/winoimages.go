package conv

import (
	"github.com/apo-gorgonia/apo/apoops/dnn"
	"github.com/apo-gorgonia/apo/apoops/half"
	"github.com/apo-gorgonia/apo/apoops/internal/simd"
	"github.com/apo-gorgonia/apo/apoops/internal/vmath"
)

// winoImages are the images of a source or a result, in blocks of channels or not, as
// float32 or as the bits of bfloat16. With act they are dz = act'(z)·dy, where the arrays
// have dy, and y and yBits act(z).
type winoImages struct {
	data    []float32
	bits    []uint16
	blocked bool
	act     vmath.Activation
	y       []float32
	yBits   []uint16
}

// read returns n elements from number at on as float32, in room or where they are.
func (x *winoImages) read(room []float32, at, n int) []float32 {
	to := read32(room[:n], x.data, x.bits, at)
	if x.act == vmath.Identity {
		return to
	}
	y := read32(room[n:2*n], x.y, x.yBits, at)
	vmath.Backward(x.act, room[:n], y, to)
	return room[:n]
}

// read32 returns elements of data, or those of bits in room.
func read32(room, data []float32, bits []uint16, at int) []float32 {
	if bits == nil {
		return data[at:][:len(room)]
	}
	half.Expand(half.BFloat16, room, bits[at:][:len(room)])
	return room
}

// direct returns the place of n rows from lo on of a block of channels, nil where results
// cannot be written in place. at is the number of planes of h×w elements before the block.
func (x *winoImages) direct(at, h, w, lo, n int) []float32 {
	if !x.blocked || x.bits != nil {
		return nil
	}
	return x.data[(at*h+lo*dnn.Block)*w:][:n*w*dnn.Block]
}

// rows returns rows [lo, hi) of a block of channels, in blocks.
func (l *winoLane) rows(x *winoImages, at, h, w, lo, hi int) []float32 {
	n := (hi - lo) * w
	switch {
	case n == 0:
		return nil
	case x.blocked:
		return x.read(l.plane, at*h*w+lo*w*dnn.Block, n*dnn.Block)
	}
	first, stride := l.channels, n
	if x.bits == nil && x.act == vmath.Identity {
		first, stride = x.data[(at*h+lo)*w:], h*w
	} else {
		for c := range dnn.Block {
			copy(l.channels[c*n:][:n], x.read(l.plane, ((at+c)*h+lo)*w, n))
		}
	}
	to := l.plane[:n*dnn.Block]
	simd.Interleave(to, first, stride)
	return to
}

// write copies n rows of a result, which are in l.plane in whole tiles, to row lo of a
// block of channels.
func (l *winoLane) write(x *winoImages, at, h, w, lo, n int) {
	whole, row := l.g.tw*winoOut*dnn.Block, w*dnn.Block
	if x.blocked {
		for i := range n {
			to, from := (at*h+(lo+i)*dnn.Block)*w, l.plane[i*whole:][:row]
			if x.bits != nil {
				half.Pack(half.BFloat16, x.bits[to:][:row], from)
			} else {
				copy(x.data[to:][:row], from)
			}
		}
		return
	}
	first := (at*h + lo) * w
	to, stride := l.channels, n*w
	if x.bits == nil {
		to, stride = x.data[first:], h*w
	}
	for i := range n {
		simd.Deinterleave(to[i*w:], stride, l.plane[i*whole:][:row])
	}
	for c := 0; c < dnn.Block && x.bits != nil; c++ {
		half.Pack(half.BFloat16, x.bits[first+c*h*w:][:n*w], to[c*stride:][:n*w])
	}
}
