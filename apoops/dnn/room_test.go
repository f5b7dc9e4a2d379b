package dnn

import "testing"

// weighted has dz = y·dy, so that a dz that is overwritten shows.
var weighted = Activation[float32]{
	Apply: func([]float32) {},
	Grad: func(dz, y, dy []float32) {
		for i, v := range y {
			dz[i] = v * dy[i]
		}
	},
}

// TestRoom: in blocks that are as large as a piece needs and no more, each gradient alone
// and both together are those of the direct sums, with an activation too.
func TestRoom(t *testing.T) {
	lib := system(t)
	for _, s := range geometries {
		s := s.dense()
		o := newOperands(s, 7)
		d := newDirect(s)
		for i, v := range d.forward(o.x, o.w, o.b) {
			o.y[i] = float32(v)
		}
		dz := make([]float32, len(o.y))
		weighted.Grad(dz, o.y, o.dy)
		dx, dw, db := d.backward(o.x, o.w, dz)
		c, err := newConvolution[float32](lib, s, weighted, cut{min(2, s.N), 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, wanted := range [][2]bool{{true, false}, {false, true}, {true, true}} {
			arenas.free = nil // a larger block would hide one that is too small
			results := operands{}
			if wanted[0] {
				results.dx = o.dx
			}
			if wanted[1] {
				results.dw, results.db = o.dw, o.db
			}
			clear(o.dx)
			clear(o.dw)
			if err := c.Backward(o.x, o.w, o.y, o.dy, results.dx, results.dw, results.db); err != nil {
				t.Fatalf("%+v: %v", s, err)
			}
			if wanted[0] {
				near(t, "dx", o.dx, dx)
			}
			if wanted[1] {
				near(t, "dw", o.dw, dw)
				near(t, "db", o.db, db)
			}
		}
		c.Close()
	}
}

// TestRoomOfLastPiece: where the kernels of a smaller last piece need more scratch memory than
// those of the others, there is as much.
func TestRoomOfLastPiece(t *testing.T) {
	lib := system(t)
	s := Shape{N: 3, C: 16, H: 5, W: 5, Out: 16, Kernel: [2]int{3, 3}, Pad: [2]int{1, 1}}.dense()
	c, err := newConvolution[float32](lib, s, weighted, cut{2, 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, k := range []*kernel{c.tail.forward, c.tail.data, c.tail.weights} {
		for i := range k.slots {
			if k.slots[i].index == argScratchpad {
				k.slots[i].bytes += 1 << 20
			}
		}
	}
	o := newOperands(s, 8)
	arenas.free = nil
	if err := c.Forward(o.x, o.w, o.b, o.y); err != nil {
		t.Fatal(err)
	}
	arenas.free = nil
	if err := c.Backward(o.x, o.w, o.y, o.dy, o.dx, o.dw, o.db); err != nil {
		t.Fatal(err)
	}
}

// TestRoomStaysInCache: what a core holds for a piece of each pass is little more than the
// arrays that the cut counts, also where channels are far from whole blocks.
func TestRoomStaysInCache(t *testing.T) {
	system(t)
	for _, l := range layers {
		s := Shape{N: 128, C: l.c, H: l.size, W: l.size, Out: l.out, Kernel: [2]int{l.kernel, l.kernel}, Stride: [2]int{l.str, l.str}, Pad: [2]int{l.pad, l.pad}}
		c, err := NewConvolution[float32](s, weighted)
		if err != nil {
			t.Fatal(err)
		}
		dz, sum := bytes[float32](c.images*s.output()), bytes[float32](c.sum())
		for pass, room := range map[string]int{
			"forward": c.main.forwardRoom(),
			"data":    c.main.backwardRoom(true, false, dz, 0),
			"weights": c.main.backwardRoom(false, true, dz, sum) - sum,
		} {
			if limit := 2 << 20; room > limit {
				t.Errorf("%s, %s: %d bytes for a piece of %d images, more than %d", l.name, pass, room, c.images, limit)
			}
		}
		c.Close()
	}
}
