package gemm

import (
	"sync"
	"unsafe"
)

// worker is what a task needs for itself.
type worker[T Float] struct {
	call  call[T]
	rows  rowsOf[T]
	strip []T // the packed strips of B of one block of steps, at a boundary of 64 bytes
}

func newWorker[T Float]() *worker[T] {
	const line = 64
	size := sizeOf[T]()
	w := new(worker[T])
	all := make([]T, (groupStrips*widest*stepBytes+line)/size)
	from := (line - int(uintptr(unsafe.Pointer(&all[0]))%line)) % line / size
	w.strip = all[from:][:groupStrips*widest*stepBytes/size]
	return w
}

// widest is the largest number of columns of a kernel.
const widest = 32

var (
	workers32 = sync.Pool{New: func() any { return newWorker[float32]() }}
	workers64 = sync.Pool{New: func() any { return newWorker[float64]() }}
)

func workers[T Float]() *sync.Pool {
	if single[T]() {
		return &workers32
	}
	return &workers64
}

// panel is where panel i of the block of steps from first on is packed.
func (p *product[T]) panel(i, first, steps int) []T {
	rows := p.machine.rows
	return p.packed[p.panels*rows*(first-p.first)+i*rows*steps:][:rows*steps]
}

// packPanels packs panels [lo, hi), counted over the blocks of steps.
func (p *product[T]) packPanels(lo, hi int) {
	w := workers[T]().Get().(*worker[T])
	for lo < hi {
		block, panel := lo/p.panels, lo%p.panels
		panels := min(p.panels, panel+hi-lo)
		first := p.first + block*p.step
		steps := min(p.step, p.last-first)
		if p.a.trans {
			for s := 0; s < steps; s += packSteps {
				p.packSome(w, panel, panels, first, steps, s, min(packSteps, steps-s))
			}
		} else {
			p.packSome(w, panel, panels, first, steps, 0, steps)
		}
		lo += panels - panel
	}
	w.free()
}

// packSome packs the count steps from step s on of a block of steps, for the panels
// [panel, panels). A row of A lies in one piece, as A has it, or the elements of all rows
// for one step, as Aᵀ has them.
func (p *product[T]) packSome(w *worker[T], panel, panels, first, steps, s, count int) {
	t := &w.rows
	t.srcRow = p.a.ld
	for ; panel < panels; panel++ {
		row := p.top + panel*p.machine.rows
		rows := min(p.machine.rows, p.m-row)
		t.dst, t.src = p.panel(panel, first, steps), p.a.from(row, first+s)
		if p.a.trans {
			t.dst, t.dstRow, t.rows, t.cols = t.dst[s*p.machine.rows:], p.machine.rows, count, rows
			p.machine.copy(t)
		} else {
			t.dstRow, t.rows, t.cols = steps, rows, count
			copyGo(t)
		}
	}
}

// free gives the worker back.
func (w *worker[T]) free() {
	w.call, w.rows = call[T]{}, rowsOf[T]{}
	workers[T]().Put(w)
}

// runTasks computes the tasks [lo, hi): those of one block of rows follow one another.
func (p *product[T]) runTasks(lo, hi int) {
	w := workers[T]().Get().(*worker[T])
	across := pieces(p.strips, p.group)
	for i := lo; i < hi; i++ {
		panel, strip := i/across*p.tall, i%across*p.group
		for first := p.first; first < p.last; first += p.step {
			p.block(w, panel, min(panel+p.tall, p.panels), strip, min(strip+p.group, p.strips), first, min(p.step, p.last-first))
		}
	}
	w.free()
}

// block adds the products of a block of steps to the panels [panel, panels) and the
// strips [strip, strips) of C.
func (p *product[T]) block(w *worker[T], panel, panels, strip, strips, first, steps int) {
	rows, cols := p.machine.rows, p.machine.cols
	if p.lower {
		strips = min(strips, pieces(p.top+panels*rows, cols))
	}
	for s := strip; s < strips; s++ {
		p.packStrip(w, w.strip[(s-strip)*cols*steps:], s*cols, first, steps)
	}
	t := &w.call
	t.k, t.alpha, t.beta, t.bStep, t.cRow = steps, p.alpha, 1, cols, p.ldc
	if first == 0 {
		t.beta = p.beta
	}
	switch {
	case p.direct:
		t.aRow, t.aStep = p.a.strides()
	case p.a.trans:
		t.aRow, t.aStep = 1, rows
	default:
		t.aRow, t.aStep = steps, 1
	}
	for s := strip; s < strips; s++ {
		t.b, t.cols = w.strip[(s-strip)*cols*steps:], min(cols, p.n-s*cols)
		from := panel
		if p.lower {
			from = max(panel, (s*cols-p.top)/rows)
		}
		for i := from; i < panels; i++ {
			row := p.top + i*rows
			if p.direct {
				t.a = p.a.from(row, first)
			} else {
				t.a = p.panel(i, first, steps)
			}
			t.rows, t.c = min(rows, p.m-row), p.c[row*p.ldc+s*cols:]
			p.machine.kernel(t)
		}
	}
}

// packStrip packs the strip of B from column col on: the elements of all columns for
// one step side by side. What a kernel reads beyond the last column has no meaning.
func (p *product[T]) packStrip(w *worker[T], dst []T, col, first, steps int) {
	cols := p.machine.cols
	w.rows = rowsOf[T]{dst: dst, dstRow: cols, src: p.b.from(first, col), srcRow: p.b.ld, rows: steps, cols: min(cols, p.n-col)}
	if p.b.trans {
		p.machine.transpose(&w.rows)
	} else {
		p.machine.copy(&w.rows)
	}
}
